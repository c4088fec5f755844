using System.CodeDom.Compiler;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using DataService.Data;

namespace DataService.Tests.Conventions;

/// <summary>Holds the direction: Program, then features, Jobs, GitHub and Data, Domain. Nothing points back up.</summary>
public sealed partial class LayersTests
{
    private static readonly string[] Features =
    [
        "Projects", "Specs", "Tasks", "Messages", "ClientView", "GitHubSync", "RepoCreations", "Auditing", "Diagnosis", "Telemetry",
    ];

    /// <summary>What each folder may use beside itself. Folders inside a folder are parts of it.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Domain"] = [],
        ["Data"] = ["Domain"],
        ["GitHub"] = ["Data", "Domain"],
        ["Http"] = ["Data", "Domain"],
        ["Jobs"] = ["Http", "GitHub", "Data", "Domain"],
        ["Projects"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["Specs"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["Tasks"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["Messages"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["ClientView"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["GitHubSync"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["RepoCreations"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["Auditing"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["Diagnosis"] = ["Jobs", "Http", "GitHub", "Data", "Domain"],
        ["Telemetry"] = ["Jobs", "Http", "GitHub", "Domain"],
    };

    private static readonly string[] ForbiddenSuffixes = ["Manager", "Helper", "Helpers", "Utils", "Util", "Common", "Dto"];

    private static readonly Type[] Types = [.. typeof(DataServiceDbContext).Assembly.GetTypes()
        .Where(type => type.Namespace?.StartsWith("DataService", StringComparison.Ordinal) is true or null && !IsGenerated(type))];

    private static string SourceFolder { get; } = Path.Combine(RepositoryRoot(), "DataService");

    [Fact]
    public void No_folder_uses_one_that_it_may_not()
    {
        var uses = Uses().ToList();
        Assert.Contains(("Projects", "Domain"), uses.Select(use => (use.Folder, use.Used)));

        Assert.Empty(uses.Where(use => use.Used != use.Folder && !MayUse.GetValueOrDefault(use.Folder, []).Contains(use.Used))
            .Select(use => $"{use.File}({use.Line}): {use.Folder} may not use {use.Used}"));
    }

    [Fact]
    public void No_two_folders_use_each_other()
    {
        var uses = Uses().Where(use => use.Used != use.Folder).Select(use => (use.Folder, use.Used)).ToHashSet();

        Assert.DoesNotContain(uses, use => uses.Contains((use.Used, use.Folder)));
    }

    [Fact]
    public void Every_folder_has_a_rule()
    {
        var folders = SourceFiles().Select(file => FolderOf(file)).OfType<string>().Distinct().ToList();

        Assert.Contains("Domain", folders);
        Assert.Empty(folders.Except(MayUse.Keys));
    }

    [Fact]
    public void Program_and_what_it_puts_together_alone_stand_outside_the_folders() =>
        Assert.Equal(["DataServiceApp.cs", "Program.cs"], SourceFiles().Where(file => FolderOf(file) is null).Order());

    [Fact]
    public void Features_are_not_used_below_Program_and_rules_name_only_folders_with_rules()
    {
        Assert.All(MayUse, rule => Assert.Empty(rule.Value.Intersect(Features)));
        Assert.Empty(MayUse.Values.SelectMany(used => used).Except(MayUse.Keys));
        Assert.Empty(Features.Except(MayUse.Keys));
    }

    [Fact]
    public void Every_file_is_in_the_namespace_of_its_folder()
    {
        foreach (var file in SourceFiles().Where(file => FolderOf(file) is not null))
        {
            var expected = $"DataService.{Path.GetDirectoryName(file)!.Replace(Path.DirectorySeparatorChar, '.')}";
            var match = Namespace().Match(File.ReadAllText(Path.Combine(SourceFolder, file)));
            Assert.True(match.Groups["name"].Value == expected, $"{file} is in {match.Groups["name"].Value}");
        }
    }

    [Fact]
    public void Only_request_records_and_migrations_are_public() =>
        Assert.Empty(Types.Where(type => type.IsVisible && !IsRequest(type) && !IsMigration(type) && !IsProgram(type)).Select(type => type.FullName));

    [Fact]
    public void Request_records_are_public() =>
        // Validation passes over those that are not, without a word.
        Assert.Empty(Types.Where(type => type.Name.EndsWith("Request", StringComparison.Ordinal) && !type.IsVisible).Select(type => type.FullName));

    [Fact]
    public void Every_class_is_sealed_static_or_abstract() =>
        Assert.Empty(Types.Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false } && !IsMigration(type) && !IsProgram(type)).Select(type => type.FullName));

    [Fact]
    public void No_interface_has_a_single_implementation() =>
        Assert.Empty(Types.Where(type => type.IsInterface && Types.Count(other => !other.IsInterface && type.IsAssignableFrom(other)) < 2).Select(type => type.FullName));

    [Fact]
    public void No_name_says_nothing() =>
        Assert.Empty(Types.Where(type => ForbiddenSuffixes.Any(suffix => type.Name.Split('`')[0].EndsWith(suffix, StringComparison.Ordinal))).Select(type => type.FullName));

    [Fact]
    public void There_are_types_to_look_at()
    {
        Assert.True(Types.Length > 50);
        Assert.Contains(typeof(DataServiceDbContext), Types);
    }

    private static bool IsRequest(Type type) => type.Name.EndsWith("Request", StringComparison.Ordinal);

    /// <summary>Written by EF's tool, which makes them public and unsealed.</summary>
    private static bool IsMigration(Type type) => type.Namespace is "DataService.Data.Migrations";

    /// <summary>Written by the compiler around the top-level statements.</summary>
    private static bool IsProgram(Type type) => type is { Name: "Program", Namespace: null };

    private static bool IsGenerated(Type type)
    {
        for (var at = type; at is not null; at = at.DeclaringType)
        {
            if (at.IsDefined(typeof(CompilerGeneratedAttribute), false) || at.IsDefined(typeof(GeneratedCodeAttribute), false) || at.Name.Contains('<', StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    /// <summary>Which folder's code names another folder's namespace, by a using line or in full.</summary>
    private static IEnumerable<(string File, int Line, string Folder, string Used)> Uses() =>
        from file in SourceFiles()
        let folder = FolderOf(file)
        where folder is not null
        from line in File.ReadAllLines(Path.Combine(SourceFolder, file)).Index()
        from Match match in NamedNamespace().Matches(Comment().Replace(line.Item, ""))
        select (file, line.Index + 1, folder, match.Groups["folder"].Value);

    /// <summary>Relative to the source folder.</summary>
    private static IEnumerable<string> SourceFiles() => Directory.EnumerateFiles(SourceFolder, "*.cs", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(SourceFolder, file))
        .Where(file => file.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"));

    private static string? FolderOf(string file) => file.Split(Path.DirectorySeparatorChar) is [var folder, _, ..] ? folder : null;

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "DataService.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds DataService.sln.");
    }

    [GeneratedRegex(@"(?<![\w.""])DataService\.(?<folder>[A-Z]\w*)")]
    private static partial Regex NamedNamespace();

    [GeneratedRegex(@"^\s*//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
