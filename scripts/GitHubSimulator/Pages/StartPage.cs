using System.Text.Encodings.Web;
using GitHubSimulator.Api;
using GitHubSimulator.Faults;
using GitHubSimulator.Repositories;

namespace GitHubSimulator.Pages;

/// <summary>What the simulator holds, for a person.</summary>
internal static class StartPage
{
    private const int Shown = 200;

    public static string Of(SimulatorState state, string address)
    {
        var repositories = state.Repositories.All;
        var newest = repositories.OrderByDescending(repository => repository.Id).Take(Shown).ToArray();
        var faults = state.Faults.All.Where(fault => !fault.IsSpent).ToArray();
        return $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <link rel="icon" href="data:,">
              <title>GitHub simulator</title>
              <style>
                :root { color-scheme: light dark; --line: #d0d7de; --soft: #59636e; --panel: #f6f8fa; }
                @media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #9198a1; --panel: #151b23; } }
                body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
                h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
                p, .soft { color: var(--soft); }
                ul { list-style: none; padding: 0; border-top: 1px solid var(--line); }
                li { padding: .6rem 0; border-bottom: 1px solid var(--line); }
                .tag { font-size: .75rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; color: var(--soft); }
                .soft { font-size: .9rem; }
                pre { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem; }
                pre { white-space: pre-wrap; }
              </style>
            </head>
            <body>
              <h1>GitHub simulator</h1>
              <p>Behaves like GitHub's REST API for the organisation {{Text(state.Options.Org)}}. Nothing here reaches github.com.</p>
              <h2>Repositories ({{repositories.Count}})</h2>
              {{List(newest.Select(Row), "None yet: approve a project.")}}
              {{(repositories.Count > Shown ? $"<p>The newest {Shown} are shown.</p>" : "")}}
              <h2>Active faults ({{faults.Length}})</h2>
              {{List(faults.Select(Row), "None: everything works.")}}
              <h2>Make a project fail</h2>
              <p>The next two attempts to create a repository whose name begins with acme are refused:</p>
              {{Fault(address, """{"kind":"refuse","preset":"permission","method":"POST","name":"acme*","times":2}""")}}
              <p>GitHub makes the repository, but its answer never arrives:</p>
              {{Fault(address, """{"kind":"lost-answer","method":"POST","name":"acme*","times":1}""")}}
              <p>Somebody else has the name already:</p>
              {{Command($$"""curl {{address}}/_simulator/strangers -d '{"name":"acme"}'""")}}
              <p>Everything works again:</p>
              {{Command($"curl -X DELETE {address}/_simulator/faults")}}
              <p>The token may only read, and expires in ten days; write, and all is well:</p>
              {{Command($$"""curl {{address}}/_simulator/token -d '{"administration":"read","expiresInSeconds":864000}'""")}}
              <p>Kinds: {{Text(string.Join(", ", EnumNames<FaultKind>.All))}}.<br>
                Presets of refuse: {{Text(string.Join(", ", EnumNames<RefusalPreset>.All))}}.</p>
            </body>
            </html>
            """;
    }

    private static string Row(SimulatedRepository repository) => $"""
        <li id="{Text(repository.FullName)}"><strong>{Text(repository.FullName)}</strong>
          <span class="tag">{(repository.Private ? "private" : "public")}</span>
          {(repository.Stranger ? "<span class=\"tag\">a stranger's</span>" : "")}
          <div>{Text(repository.Description ?? "")}</div>
          <div class="soft">created {repository.CreatedAt.ToText()}, {repository.OpenIssues} open issues</div></li>
        """;

    private static string Row(Fault fault)
    {
        var kind = EnumNames<FaultKind>.Of(fault.Rule.Kind);
        var meets = string.Join(' ', new[] { fault.Rule.Method, fault.Rule.Path, fault.Rule.Name }.OfType<string>());
        return $"""
            <li><strong>{kind}</strong> {(fault.Rule.Preset is { } preset ? EnumNames<RefusalPreset>.Of(preset) : "")}
              <div>{(meets is "" ? "every call" : Text(meets))}</div>
              <div class="soft">number {fault.Id}, used {fault.Used} of {fault.Rule.Times?.ToString() ?? "unlimited"}</div></li>
            """;
    }

    private static string List(IEnumerable<string> rows, string empty) =>
        string.Concat(rows) is { Length: > 0 } list ? $"<ul>{list}</ul>" : $"<p>{empty}</p>";

    private static string Fault(string address, string fault) => Command($"curl {address}/_simulator/faults -d '{fault}'");

    private static string Command(string command) => $"<pre>{Text(command)}</pre>";

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);
}
