namespace DataService.Domain;

/// <summary>One call that created content on GitHub, or was about to: the budget counts them.</summary>
internal sealed class ContentCall
{
    internal ContentCall(string credential, DateTime at)
    {
        Credential = credential;
        At = at;
    }

    public long Id { get; private set; }

    /// <inheritdoc cref="GitHubQuota.Credential"/>
    public string Credential { get; private set; }

    /// <summary>UTC, by the database's clock.</summary>
    public DateTime At { get; private set; }
}
