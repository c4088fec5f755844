using DataService.Domain;
using Octokit;

namespace DataService.GitHub;

internal static class ConnectionExtensions
{
    /// <summary>More than any list has that this service asks for; a list that leads in a circle ends here.</summary>
    private const int MaxPages = 1_000;

    /// <summary>GitHub's largest.</summary>
    private const int PageSize = 100;

    extension(IConnection connection)
    {
        /// <summary>
        /// Every page of a list, in GitHub's order. A full page is followed by a further one also where it leads to none: GitHub's ETag is of the
        /// page's body, so one that has not changed is answered with 304, and kept with the links of a time at which it was the last.
        /// </summary>
        /// <param name="path">Relative to the API's root, with the query but for the page and its size.</param>
        /// <param name="cancellationToken">Ends the call under way.</param>
        /// <exception cref="UnusableAnswerException">Success, but with no list, with a gap in it, or one without an end.</exception>
        public async Task<List<T>> GetAllAsync<T>(string path, CancellationToken cancellationToken)
        {
            var all = new List<T>();
            var pages = $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}per_page={PageSize}";
            Uri? next = new(pages, UriKind.Relative);
            for (var page = 1; next is not null; page++)
            {
                var answer = await connection.Get<List<T>?>(next, null, null, cancellationToken);
                if (answer.Body is null || answer.Body.Exists(element => element is null))
                    throw new UnusableAnswerException("GitHub answered a list with nothing.");
                all.AddRange(answer.Body);
                next = page < MaxPages
                    ? answer.HttpResponse.ApiInfo.Links.GetValueOrDefault("next")
                    : throw new UnusableAnswerException($"GitHub's list has no end after {MaxPages} pages.");
                if (next is null && answer.Body.Count >= PageSize)
                    next = new Uri($"{pages}&page={page + 1}", UriKind.Relative);
            }

            return all;
        }
    }

    extension(GitHubOptions options)
    {
        /// <summary>Makes a call and classifies how it fails.</summary>
        /// <exception cref="FailureException">GitHub, or the way to it, failed; or there is no token to ask with.</exception>
        public async Task<T> CallAsync<T>(Func<Task<T>> call, TimeProvider time, CancellationToken cancellationToken)
        {
            if (options.Token is null)
                throw new FailureException(Failure.TokenMissing);
            try
            {
                return await call();
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is not FailureException)
            {
                throw new FailureException(options.Redact(GitHubFailure.Classify(exception, time.GetUtcNow().UtcDateTime)));
            }
        }
    }
}
