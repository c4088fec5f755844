namespace GitHubSimulator.Faults;

/// <summary>The faults that are set. A call meets the first one that fits, in the order in which they were set.</summary>
internal sealed class FaultBoard
{
    private readonly Lock _lock = new();
    private readonly List<Fault> _faults = [];
    private int _lastId;

    public IReadOnlyList<Fault> All
    {
        get
        {
            lock (_lock)
                return [.. _faults];
        }
    }

    /// <exception cref="ArgumentException">The rule contradicts itself; the message says how.</exception>
    public Fault Add(FaultRule rule)
    {
        if (rule.Problem() is { } problem)
            throw new ArgumentException(problem, nameof(rule));

        lock (_lock)
        {
            var fault = new Fault(++_lastId, rule);
            _faults.Add(fault);
            return fault;
        }
    }

    public Fault? Take(string method, string path, string? name)
    {
        lock (_lock)
            return _faults.Find(fault => fault.TryUse(method, path, name));
    }

    public bool Remove(int id)
    {
        lock (_lock)
        {
            if (_faults.Find(fault => fault.Id == id) is not { } fault)
                return false;

            _faults.Remove(fault);
            fault.Release();
            return true;
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            foreach (var fault in _faults)
                fault.Release();
            _faults.Clear();
        }
    }
}
