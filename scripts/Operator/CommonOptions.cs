using System.CommandLine;

namespace Operator;

/// <summary>Where the service is, who calls, and how the answer is written.</summary>
internal static class CommonOptions
{
    public const string AddressVariable = "DATASERVICE_URL";

    private const string DefaultAddress = "http://localhost:8788";

    public static readonly Option<bool> Json = new("--json") { Description = "One JSON document on standard output, for machines" };

    private static readonly Option<string> Url = new("--url")
    {
        Description = $"The service's address; else {AddressVariable}, else {DefaultAddress}",
        HelpName = "address",
    };

    private static readonly Option<FileInfo> TokenFile = new("--token-file")
    {
        Description = "A file with the token; else API_TOKEN, or VIEWER_TOKEN where nothing is changed",
        HelpName = "file",
    };

    public static IEnumerable<Option> All => [Json, Url, TokenFile];

    /// <summary>Refuses a value that says nothing: most likely a variable of the shell that is not set, and without it all would match.</summary>
    /// <param name="option">Its values stand alone.</param>
    public static Option<T> NotEmpty<T>(Option<T> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
                result.AddError($"{option.Name} is empty: give a value, or leave it out.");
        });
        return option;
    }

    /// <summary>As <see cref="NotEmpty{T}"/>, of values that may have commas between them.</summary>
    public static Option<string[]> NoneEmpty(Option<string[]> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value.Split(',').Any(string.IsNullOrWhiteSpace)) is { Value: var text })
                result.AddError($"{option.Name} is empty{(text.Contains(',', StringComparison.Ordinal) ? " beside a comma" : "")}: give a value, or leave it out.");
        });
        return option;
    }

    /// <summary>Ends in a slash, so that paths append to it.</summary>
    /// <exception cref="ScriptException">It is no address.</exception>
    public static Uri Address(ParseResult options)
    {
        var (text, source) = options.GetValue(Url) is { } given ? (given, "--url")
            : Variable(AddressVariable) is { } variable ? (variable, AddressVariable) : (DefaultAddress, "--url");
        return Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var url)
            && url is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" }
            ? url
            // It may hold a password: it is not repeated.
            : throw new ScriptException(ExitCode.Usage, $"{source} must be an http(s) address without user, query or fragment, such as {DefaultAddress}.");
    }

    /// <exception cref="ScriptException">There is none, or it is no token.</exception>
    public static string Token(ParseResult options, bool onlyReads)
    {
        var file = options.GetValue(TokenFile);
        var text = file is not null ? Read(file) : Variable("API_TOKEN") ?? (onlyReads ? Variable("VIEWER_TOKEN") : null);
        if (text is null)
        {
            throw new ScriptException(
                ExitCode.NotAllowed,
                $"No token: set API_TOKEN{(onlyReads ? " or VIEWER_TOKEN" : "")}, or give --token-file. scripts/run keeps its own in .local/api-token.");
        }

        // While one is being replaced there are several; the first is the current one.
        var token = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "";
        return token is not "" && token.All(letter => letter is > ' ' and <= '~')
            ? token
            : throw new ScriptException(ExitCode.NotAllowed, $"{(file is null ? "The variable" : "The file")} holds no token: it must be printable ASCII without spaces.");
    }

    private static string Read(FileInfo file)
    {
        try
        {
            return File.ReadAllText(file.FullName);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ScriptException(ExitCode.NotAllowed, $"The token file cannot be read: {exception.Message}");
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;
}
