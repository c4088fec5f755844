namespace DataService.Domain;

/// <summary>No repository is created while there is one: every job waits. There is at most one, for all instances.</summary>
internal sealed class CreationPause
{
    public const int OnlyId = 1;

    /// <summary>How long one attempt may take that tries whether a new token is accepted, before another one may.</summary>
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromMinutes(2);

    private CreationPause(DateTime since, string reason)
    {
        Since = since;
        Reason = reason;
    }

    public int Id { get; private set; } = OnlyId;

    /// <summary>UTC.</summary>
    public DateTime Since { get; private set; }

    /// <summary>For people.</summary>
    public string Reason { get; private set; }

    /// <summary>What GitHub refused the token with; null where a person has paused.</summary>
    public FailureKind? Code { get; private set; }

    /// <summary>The refused token's fingerprint; null where a person has paused.</summary>
    public string? Credential { get; private set; }

    /// <summary>UTC; until then one attempt with a new token is under way, and its outcome is waited for.</summary>
    public DateTime? ProbeUntil { get; private set; }

    /// <param name="reason">For people.</param>
    /// <param name="now">UTC.</param>
    public static CreationPause ByPerson(string reason, DateTime now) => new(now, reason);

    /// <summary>GitHub has refused the token several times in a row.</summary>
    public static CreationPause ByRefusal(Failure refusal, string credential, DateTime now) =>
        new(now, refusal.Text) { Code = refusal.Kind, Credential = credential };

    /// <summary>Whether the token has been changed since it was refused, so that one attempt may tell whether the new one is accepted.</summary>
    public bool MayProbe(string credential, DateTime now) => Credential is not null && Credential != credential && (ProbeUntil is null || ProbeUntil <= now);

    public void Probe(DateTime now) => ProbeUntil = now + ProbeLimit;

    /// <summary>The new token was refused too.</summary>
    public void RefuseProbe(Failure refusal, string credential)
    {
        (Reason, Code, Credential) = (refusal.Text, refusal.Kind, credential);
        ProbeUntil = null;
    }

    /// <summary>The attempt ended without telling anything about the token: the next one may try.</summary>
    public void EndProbe() => ProbeUntil = null;
}
