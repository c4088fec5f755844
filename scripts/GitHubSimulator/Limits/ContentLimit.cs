namespace GitHubSimulator.Limits;

/// <summary>What the secondary limit on content-creating calls enforces; a number of 0 turns its part off.</summary>
internal sealed record ContentRules
{
    /// <summary>Calls within <see cref="ContentWindowSeconds"/>.</summary>
    public int ContentPerMinute { get; init; }

    /// <summary>How long the minute of <see cref="ContentPerMinute"/> is, so that a test need not wait for a real one.</summary>
    public int ContentWindowSeconds { get; init; } = 60;

    public int ContentPerHour { get; init; }

    public int MinimumGapMs { get; init; }

    public int BlockSeconds { get; init; } = 60;

    /// <summary>Whether a refusal says in Retry-After when the block ends.</summary>
    public bool RetryAfter { get; init; } = true;

    /// <summary>How long a new repository answers 404.</summary>
    public int AccessRepositoryDelayMs { get; init; }

    public string? Problem() => this switch
    {
        { ContentPerMinute: < 0 } or { ContentPerHour: < 0 } or { MinimumGapMs: < 0 } or { AccessRepositoryDelayMs: < 0 } =>
            "contentPerMinute, contentPerHour, minimumGapMs and accessRepositoryDelayMs must not be negative; 0 turns one off.",
        { BlockSeconds: < 1 } or { ContentWindowSeconds: < 1 } => "blockSeconds and contentWindowSeconds must be 1 or more.",
        _ => null,
    };
}

/// <summary>Since the rules were set: calls let through, blocks started, and calls during one, without the one that started it.</summary>
internal sealed record ContentUsage(
    ContentRules Rules, int ContentCalls, int LastMinute, int LastHour, int Blocks, int CallsWhileBlocked, DateTimeOffset? BlockedUntil);

/// <summary>The secondary limit: whoever goes over it is blocked from content creation for a time.</summary>
internal sealed class ContentLimit(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<DateTimeOffset> _lastHour = [];
    private readonly Queue<DateTimeOffset> _lastMinute = [];
    private ContentRules _rules = new();
    private DateTimeOffset _previous;
    private DateTimeOffset _blockedUntil;
    private int _calls;
    private int _blocks;
    private int _callsWhileBlocked;

    public ContentRules Rules
    {
        get
        {
            lock (_lock)
                return _rules;
        }
    }

    public ContentUsage Usage
    {
        get
        {
            lock (_lock)
            {
                var now = time.GetUtcNow();
                Forget(now);
                DateTimeOffset? blockedUntil = now < _blockedUntil ? _blockedUntil : null;
                return new(_rules, _calls, _lastMinute.Count, _lastHour.Count, _blocks, _callsWhileBlocked, blockedUntil);
            }
        }
    }

    /// <summary>Sets the rules and begins to count anew.</summary>
    /// <exception cref="ArgumentException">A number is out of range; the message says which.</exception>
    public void Set(ContentRules rules)
    {
        if (rules.Problem() is { } problem)
            throw new ArgumentException(problem, nameof(rules));

        lock (_lock)
        {
            _rules = rules;
            _lastHour.Clear();
            _lastMinute.Clear();
            (_previous, _blockedUntil) = (default, default);
            (_calls, _blocks, _callsWhileBlocked) = (0, 0, 0);
        }
    }

    /// <returns>How long the block lasts; null if the call may go on.</returns>
    public TimeSpan? Take()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (now < _blockedUntil)
            {
                _callsWhileBlocked++;
                return _blockedUntil - now;
            }

            Forget(now);
            if (IsOver(now))
            {
                _blocks++;
                _blockedUntil = now.AddSeconds(_rules.BlockSeconds);
                return _blockedUntil - now;
            }

            _calls++;
            _previous = now;
            _lastMinute.Enqueue(now);
            _lastHour.Enqueue(now);
            return null;
        }
    }

    private bool IsOver(DateTimeOffset now) =>
        (_rules.ContentPerMinute > 0 && _lastMinute.Count >= _rules.ContentPerMinute)
        || (_rules.ContentPerHour > 0 && _lastHour.Count >= _rules.ContentPerHour)
        || (_rules.MinimumGapMs > 0 && now < _previous.AddMilliseconds(_rules.MinimumGapMs));

    private void Forget(DateTimeOffset now)
    {
        while (_lastMinute.TryPeek(out var call) && call <= now.AddSeconds(-_rules.ContentWindowSeconds))
            _lastMinute.Dequeue();
        while (_lastHour.TryPeek(out var call) && call <= now.AddHours(-1))
            _lastHour.Dequeue();
    }
}
