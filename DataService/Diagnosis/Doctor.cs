using DataService.Data;

namespace DataService.Diagnosis;

/// <summary>Looks whether the service can do its work, and says what to do where it cannot. Only reads, in the database and on GitHub.</summary>
internal sealed class Doctor(IServiceScopeFactory scopes, TimeProvider time) : IDisposable
{
    /// <summary>However often it is asked, GitHub is called for it a few hundred times an hour at most.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private (List<CheckResponse> Checks, DateTime Time)? _latest;

    /// <summary>The checks: of the database now, of GitHub now or in the last seconds.</summary>
    public Task<DoctorResponse> LatestAsync(CancellationToken cancellationToken) => ExamineAsync(LatestGitHubAsync, cancellationToken);

    /// <summary>Does all checks now. What they find is an answer and no exception.</summary>
    public Task<DoctorResponse> ExamineAsync(CancellationToken cancellationToken) =>
        ExamineAsync((checks, token) => checks.RunAsync(token), cancellationToken);

    private async Task<DoctorResponse> ExamineAsync(
        Func<GitHubChecks, CancellationToken, Task<List<CheckResponse>>> askGitHub, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DatabaseChecks>().RunAsync(cancellationToken);
        var gitHub = askGitHub(scope.ServiceProvider.GetRequiredService<GitHubChecks>(), cancellationToken);
        await Task.WhenAll(database, gitHub);
        return DoctorResponse.Of([.. await database, .. await gitHub], time.UtcNow);
    }

    private async Task<List<CheckResponse>> LatestGitHubAsync(GitHubChecks checks, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_latest is { } latest && (time.UtcNow - latest.Time).Duration() <= Lifetime)
                return latest.Checks;
            var found = await checks.RunAsync(cancellationToken);
            _latest = (found, time.UtcNow);
            return found;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
