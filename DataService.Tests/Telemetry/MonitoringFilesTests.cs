using System.Text.Json;
using System.Text.RegularExpressions;
using DataService.Domain;
using DataService.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace DataService.Tests.Telemetry;

/// <summary>Holds the dashboard, the alert rules and the documentation to what a service really exports.</summary>
public sealed partial class MonitoringFilesTests(MonitoredService monitored) : IClassFixture<MonitoredService>
{
    /// <summary>Added by Prometheus to every series that it scrapes.</summary>
    private static readonly string[] LabelsOfPrometheus = ["job", "instance"];

    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "monitoring");

    private static readonly string[] Operators = ["or", "and", "unless", "bool"];

    [Fact]
    public void The_dashboard_can_be_imported_and_asks_for_what_is_exported()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "dashboard.json")));
        var root = dashboard.RootElement;
        var variables = root.GetProperty("templating").GetProperty("list").EnumerateArray()
            .ToDictionary(variable => variable.GetProperty("name").GetString()!);
        var source = variables["datasource"];
        Assert.Equal(("datasource", "prometheus"), (source.GetProperty("type").GetString(), source.GetProperty("query").GetString()));
        Check(variables["job"].GetProperty("definition").GetString()!);
        Assert.False(string.IsNullOrWhiteSpace(root.GetProperty("title").GetString()));

        var panels = root.GetProperty("panels").EnumerateArray().ToList();
        Assert.True(panels.Count > 15);
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        foreach (var panel in panels)
        {
            Assert.All(["title", "description"], (string text) => Assert.False(string.IsNullOrWhiteSpace(panel.GetProperty(text).GetString())));
            Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString());
            foreach (var target in panel.GetProperty("targets").EnumerateArray())
            {
                var expression = target.GetProperty("expr").GetString()!;
                var labels = Check(expression);
                foreach (Match used in Legend().Matches(target.GetProperty("legendFormat").GetString()!))
                    Assert.True(labels.Contains(used.Groups["label"].Value), $"{used.Value} is no label of {expression}");
                foreach (Match variable in Variable().Matches(expression))
                    Assert.Contains(variable.Groups["name"].Value, variables.Keys.Append("__rate_interval"));
            }
        }
    }

    [Fact]
    public void The_alert_rules_are_well_formed_and_ask_for_what_is_exported()
    {
        var sections = File.ReadLines(Path.Combine(Repository.Root, "docs", "operations.md"))
            .Where(line => line.StartsWith('#')).Select(line => Slug().Replace(line.TrimStart('#', ' ').ToLowerInvariant(), "").Replace(' ', '-'))
            .Select(anchor => $"docs/operations.md#{anchor}").ToHashSet();

        var alerts = Alerts().ToList();

        Assert.True(alerts.Count > 10);
        Assert.Equal(alerts.Count, alerts.Select(alert => Text(alert, "alert")).Distinct().Count());
        foreach (var alert in alerts)
        {
            var name = Text(alert, "alert");
            Assert.Matches("^DataService[A-Za-z]+$", name);
            var keys = alert.Children.Keys.Select(key => ((YamlScalarNode)key).Value);
            Assert.Empty(keys.Except(["alert", "expr", "for", "labels", "annotations"]));
            Check(Text(alert, "expr"));
            if (alert.Children.TryGetValue("for", out var wait))
                Assert.Matches("^[1-9][0-9]*[smh]$", ((YamlScalarNode)wait).Value!);
            Assert.Contains(Text((YamlMappingNode)alert["labels"], "severity"), (string[])["warning", "critical"]);
            var annotations = (YamlMappingNode)alert["annotations"];
            var (summary, description, runbook) = (Text(annotations, "summary"), Text(annotations, "description"), Text(annotations, "runbook"));
            Assert.False(string.IsNullOrWhiteSpace(summary) || string.IsNullOrWhiteSpace(description));
            Assert.True(sections.Contains(runbook), $"{name}: no section {runbook}");
            foreach (Match used in Template().Matches(summary + description))
                Assert.True(LabelsAfter(Text(alert, "expr")).Contains(used.Groups["label"].Value), $"{name} has no label {used.Value}");
        }
    }

    [Fact]
    public void The_documentation_lists_each_metric_of_ours_with_its_labels()
    {
        var documented = Row().Matches(File.ReadAllText(Path.Combine(Folder, "README.md")))
            .ToDictionary(
                row => row.Groups["name"].Value,
                row => Code().Matches(row.Groups["labels"].Value).Select(label => label.Groups["text"].Value).ToHashSet());
        Assert.NotEmpty(documented);

        var exported = monitored.Scrape.Samples.Where(sample => sample.Name.StartsWith("dataservice_", StringComparison.Ordinal))
            .GroupBy(sample => HistogramSuffix().Replace(sample.Name, ""))
            .ToDictionary(
                family => family.Key, family => family.SelectMany(sample => sample.Labels.Keys).Where(label => label is not "le").ToHashSet());

        Assert.Equal(exported.Keys.Order(), documented.Keys.Order());
        Assert.All(exported, metric => Assert.Superset(metric.Value, documented[metric.Key]));
    }

    [Theory]
    [InlineData("max(dataservice_no_such_metric)")]
    [InlineData("rate(dataservice_approvals[5m])")]
    [InlineData("max by (slug) (dataservice_creation_failed)")]
    [InlineData("sum(dataservice_creation_failed{code=\"GITHUB_FORBIDDEN\"})")]
    [InlineData("sum(dataservice_creation_failed{error_type=\"FORBIDDEN\"})")]
    [InlineData("sum(dataservice_creation_pending{state=\"waiting\"})")]
    [InlineData("label_values(dataservice_up, job)")]
    public void An_expression_that_asks_for_something_else_is_found(string expression) => Assert.ThrowsAny<Exception>(() => Check(expression));

    /// <summary>Fails where the expression names a metric, a label or its value that the service does not export.</summary>
    /// <returns>All labels of its metrics.</returns>
    private HashSet<string> Check(string expression)
    {
        var text = LabelValues().Replace(expression, "${metric}");
        var all = new HashSet<string>(LabelsOfPrometheus);
        var metrics = 0;
        foreach (Match selector in Selector().Matches(Grouping().Replace(Range().Replace(text, ""), " ")))
        {
            var name = selector.Groups["name"].Value;
            if (Operators.Contains(name) || selector.Groups["call"].Success)
                continue;
            metrics++;
            // Prometheus' own, for each target.
            if (name is "up")
                continue;
            var samples = monitored.Scrape.Samples.Where(sample => sample.Name == name).ToList();
            Assert.True(samples.Count > 0, $"{name} is not exported: {expression}");
            var labels = samples.SelectMany(sample => sample.Labels.Keys).Concat(LabelsOfPrometheus).ToHashSet();
            // A call has it in the place of its status, where no answer came.
            if (labels.Contains("operation"))
                labels.Add("error_type");
            all.UnionWith(labels);
            foreach (Match matcher in Matcher().Matches(selector.Groups["matchers"].Value))
            {
                var label = matcher.Groups["label"].Value;
                Assert.True(labels.Contains(label), $"{name} has no label {label}: {expression}");
                if (matcher.Groups["operator"].Value is "=" && !LabelsOfPrometheus.Contains(label))
                    Assert.True(MayBe(label, matcher.Groups["value"].Value, samples), $"{name} is never so: {matcher.Value}, in {expression}");
            }
        }

        Assert.True(metrics > 0, $"No metric in {expression}");
        foreach (Match group in Grouping().Matches(text))
        {
            foreach (var label in group.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries))
                Assert.True(all.Contains(label), $"No metric has the label {label}: {expression}");
        }

        return all;
    }

    /// <summary>What a code or a status may be does not depend on what has happened so far.</summary>
    private static bool MayBe(string label, string value, IEnumerable<Scrape.Sample> samples) => label switch
    {
        "error_type" => value is "NONE" || Enum.GetValues<FailureKind>().Any(kind => kind.Code == value),
        "http_response_status_code" => int.TryParse(value, out var status) && status is >= 100 and < 600,
        _ => samples.Any(sample => sample.Labels.GetValueOrDefault(label) == value),
    };

    /// <summary>The labels that an alert's series have: those that it groups by, or those of its one selector.</summary>
    private HashSet<string> LabelsAfter(string expression)
    {
        var groups = Grouping().Matches(expression);
        return groups.Count is 0
            ? Check(expression)
            : [.. groups.SelectMany(group => group.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries))];
    }

    private static IEnumerable<YamlMappingNode> Alerts()
    {
        var yaml = new YamlStream();
        using var file = File.OpenText(Path.Combine(Folder, "alerts.yaml"));
        yaml.Load(file);
        var groups = (YamlSequenceNode)((YamlMappingNode)yaml.Documents.Single().RootNode)["groups"];
        return groups.Cast<YamlMappingNode>().SelectMany(group => ((YamlSequenceNode)group["rules"]).Cast<YamlMappingNode>());
    }

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;

    /// <summary>A metric with its matchers, or a function.</summary>
    [GeneratedRegex("""(?<![\w"$.])(?<name>[a-zA-Z_:][\w:]*)\s*(\{(?<matchers>[^}]*)\}|(?<call>\())?(?=([^"]*"[^"]*")*[^"]*$)""")]
    private static partial Regex Selector();

    [GeneratedRegex("""(?<label>\w+)\s*(?<operator>=~|!~|!=|=)\s*"(?<value>[^"]*)""")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\b(by|on|without|ignoring)\s*\((?<labels>[^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Range();

    [GeneratedRegex(@"^label_values\((?<metric>\w+), *\w+\)$")]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"\{\{(?<label>\w+)\}\}")]
    private static partial Regex Legend();

    [GeneratedRegex(@"\$labels\.(?<label>\w+)")]
    private static partial Regex Template();

    [GeneratedRegex(@"\$(?<name>\w+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Slug();

    [GeneratedRegex(@"^\| `(?<name>dataservice_\w+)` \|[^|]*\|(?<labels>[^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSuffix();
}
