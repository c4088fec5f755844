using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace DataService.Benchmarks.Chaos;

/// <summary>
/// The client: creates projects and approves them at a steady rate, at whichever instance answers, and repeats each call until it is
/// answered. What it was told is all that it counts.
/// </summary>
internal sealed class Approvals(IReadOnlyList<ServiceInstance> instances, FaultMix faults, ChaosOptions options, string apiToken)
    : IDisposable
{
    /// <summary>Of every project's slug, so that none begins with another one.</summary>
    public const int SlugLength = 12;

    private const int AtOnce = 30;
    private static readonly TimeSpan PauseBeforeRetry = TimeSpan.FromMilliseconds(200);

    /// <summary>For what is under way when the chaos ends.</summary>
    private static readonly TimeSpan LastAnswers = TimeSpan.FromMinutes(1);

    private readonly HttpClient _http = new()
    {
        Timeout = TimeSpan.FromSeconds(5),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", apiToken) },
    };

    private readonly ConcurrentDictionary<Guid, string> _acknowledged = [];
    private readonly ConcurrentQueue<string> _refusals = [];
    private int _unanswered;
    private int _repeated;

    /// <summary>Id and slug of each project whose approval was answered with 200.</summary>
    public IReadOnlyDictionary<Guid, string> Acknowledged => _acknowledged;

    /// <summary>Answers that no fault explains.</summary>
    public IReadOnlyCollection<string> Refusals => _refusals;

    /// <summary>Projects given up because nothing answered in the end.</summary>
    public int Unanswered => Volatile.Read(ref _unanswered);

    /// <summary>Calls that were sent again because the one before had no answer.</summary>
    public int Repeated => Volatile.Read(ref _repeated);

    /// <summary>Approves until the chaos ends, and returns when all that was begun is answered.</summary>
    /// <param name="chaos">Begins nothing more.</param>
    /// <param name="cancellationToken">Gives up all of it.</param>
    public async Task RunAsync(CancellationToken chaos, CancellationToken cancellationToken)
    {
        using var lastAnswers = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var slots = new SemaphoreSlim(AtOnce, AtOnce);
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1 / options.Rate));
        List<Task> begun = [];
        try
        {
            for (var number = 1; await ticks.WaitForNextTickAsync(chaos); number++)
            {
                await slots.WaitAsync(chaos);
                begun.Add(ApproveAsync(number, slots, lastAnswers.Token));
            }
        }
        catch (OperationCanceledException) when (chaos.IsCancellationRequested)
        {
            lastAnswers.CancelAfter(LastAnswers);
        }

        await Task.WhenAll(begun);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => _http.Dispose();

    private async Task ApproveAsync(int number, SemaphoreSlim slots, CancellationToken cancellationToken)
    {
        var slug = $"chaos-{number:D6}";
        faults.Prepare(number, slug);
        try
        {
            // An answer of 409 is the repeated call meeting its own project: nobody else has the name.
            var created = await AnsweredAsync("/projects", JsonContent.Create(new { name = slug }), cancellationToken);
            if (created.Status is not (HttpStatusCode.Created or HttpStatusCode.Conflict))
            {
                _refusals.Enqueue($"creating {slug}: {created}");
                return;
            }

            var approved = await AnsweredAsync($"/projects/{slug}/approve", content: null, cancellationToken);
            if (approved.Status is HttpStatusCode.OK)
                _acknowledged[JsonDocument.Parse(approved.Body).RootElement.GetProperty("id").GetGuid()] = slug;
            else
                _refusals.Enqueue($"approving {slug}: {approved}");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Interlocked.Increment(ref _unanswered);
        }
        finally
        {
            slots.Release();
        }
    }

    /// <summary>Sends it until there is an answer; of the server's own troubles (5xx) there is one more time.</summary>
    private async Task<Answer> AnsweredAsync(string path, JsonContent? content, CancellationToken cancellationToken)
    {
        for (var at = Random.Shared.Next(instances.Count); ; at = (at + 1) % instances.Count)
        {
            try
            {
                using var response = await _http.PostAsync(new Uri(instances[at].Address, path), content, cancellationToken);
                if ((int)response.StatusCode < 500)
                    return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
            }
            catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException)
            {
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The client's own limit.
            }

            Interlocked.Increment(ref _repeated);
            await Task.Delay(PauseBeforeRetry, cancellationToken);
        }
    }

    private sealed record Answer(HttpStatusCode Status, string Body)
    {
        public override string ToString() => $"{(int)Status} {Body}";
    }
}
