namespace DataService.Domain;

/// <summary>What all instances know together of one token: whose turn comes when, and how GitHub has taken its last calls.</summary>
internal sealed class GitHubQuota
{
    /// <summary>GitHub's own lower bound after a limit for which it states no end; twice as long after each further one.</summary>
    public static readonly TimeSpan FirstUnstatedPause = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestUnstatedPause = TimeSpan.FromHours(1);

    internal GitHubQuota(string credential) => Credential = credential;

    /// <summary>A fingerprint of the token; see GitHubOptions.</summary>
    public string Credential { get; private set; }

    /// <summary>UTC; the first turn that nobody has reserved yet.</summary>
    public DateTime? NextTurnAt { get; private set; }

    /// <summary>UTC; GitHub has asked for no calls that create content before it.</summary>
    public DateTime? LimitedUntil { get; private set; }

    public int LimitsInARow { get; private set; }
    public int RefusalsInARow { get; private set; }

    public void Reserve(DateTime turn, TimeSpan spacing) => NextTurnAt = turn + spacing;

    /// <summary>GitHub has limited the token: nobody calls before the end of it.</summary>
    /// <param name="until">UTC; null where GitHub stated no end.</param>
    /// <param name="now">UTC.</param>
    public void Limit(DateTime? until, DateTime now)
    {
        // What fails while a limit holds was sent before it: it tells nothing new.
        if (until is null && LimitedUntil > now)
            return;
        var unstated = FirstUnstatedPause * Math.Min(Math.Pow(2, LimitsInARow), LongestUnstatedPause / FirstUnstatedPause);
        var end = until ?? now + unstated;
        LimitsInARow++;
        if (LimitedUntil is null || LimitedUntil < end)
            LimitedUntil = end;
    }

    /// <summary>GitHub has refused the token.</summary>
    public void Refuse() => RefusalsInARow++;
}
