namespace GitHubSimulator.Limits;

/// <summary>In the order in which one holds the other.</summary>
internal enum Access
{
    None,
    Read,
    Write,
}

/// <summary>What the one token may do, and how long.</summary>
internal sealed class TokenGrant(TimeProvider time, DateTimeOffset expires)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Access> _permissions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["administration"] = Access.Write,
        ["contents"] = Access.Write,
        ["issues"] = Access.Write,
    };

    private DateTimeOffset? _expires = expires;

    /// <summary>Announced in github-authentication-token-expiration; null where the token does not expire.</summary>
    public DateTimeOffset? Expires
    {
        get
        {
            lock (_lock)
                return _expires;
        }
        set
        {
            lock (_lock)
                _expires = value;
        }
    }

    public bool IsExpired => Expires <= time.GetUtcNow();

    public IReadOnlyDictionary<string, Access> Permissions
    {
        get
        {
            lock (_lock)
                return new Dictionary<string, Access>(_permissions);
        }
    }

    /// <param name="permission">administration, contents or issues.</param>
    /// <param name="access">From now on.</param>
    public void Set(string permission, Access access)
    {
        lock (_lock)
            _permissions[permission] = access;
    }

    public bool Allows(string permission, Access access)
    {
        lock (_lock)
            return _permissions.GetValueOrDefault(permission) >= access;
    }
}
