using DataService.Data;

namespace DataService.Diagnosis;

/// <summary>Looks whether the service can do its work, and says what to do where it cannot. Only reads, in the database and on GitHub.</summary>
internal sealed class Doctor(IServiceScopeFactory scopes, TimeProvider time) : IDisposable
{
    /// <summary>However often it is asked, GitHub is called for it a few hundred times an hour at most.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private DoctorResponse? _latest;

    /// <summary>The checks, of now or of the last seconds.</summary>
    public async Task<DoctorResponse> LatestAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_latest is not { } latest || (time.UtcNow - latest.Time).Duration() > Lifetime)
                _latest = await ExamineAsync(cancellationToken);
            return _latest;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Does all checks. What they find is an answer and no exception.</summary>
    public async Task<DoctorResponse> ExamineAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DatabaseChecks>().RunAsync(cancellationToken);
        var gitHub = scope.ServiceProvider.GetRequiredService<GitHubChecks>().RunAsync(cancellationToken);
        await Task.WhenAll(database, gitHub);
        return DoctorResponse.Of([.. await database, .. await gitHub], time.UtcNow);
    }

    public void Dispose() => _turn.Dispose();
}
