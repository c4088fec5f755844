namespace GitHubSimulator.Repositories;

/// <summary>Repositories and their issues. Names compare without case, and a renamed repository leaves its former name behind.</summary>
internal sealed class RepositoryStore
{
    private readonly Lock _lock = new();
    private readonly Lock _saving = new();
    private readonly Dictionary<long, Entry> _entries = [];
    private readonly Dictionary<string, long> _ids = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, long> _formerIds = new(StringComparer.OrdinalIgnoreCase);
    private readonly TimeProvider _time;
    private readonly DataFile? _file;
    private long _lastId = 1_000_000;
    private long _version;
    private long _savedVersion;

    public RepositoryStore(TimeProvider time, DataFile? file)
    {
        _time = time;
        _file = file;
        if (file?.Load() is not { } data)
            return;

        _lastId = data.LastId;
        foreach (var saved in data.Repositories)
        {
            _entries.Add(saved.Repository.Id, new(saved.Repository, [.. saved.Issues]));
            _ids.Add(saved.Repository.FullName, saved.Repository.Id);
        }

        foreach (var (name, id) in data.FormerNames)
            _formerIds.Add(name, id);
    }

    public IReadOnlyList<SimulatedRepository> All
    {
        get
        {
            lock (_lock)
                return [.. _entries.Values.Select(entry => entry.Repository)];
        }
    }

    public SimulatedRepository? Find(string owner, string name)
    {
        lock (_lock)
            return _ids.TryGetValue($"{owner}/{name}", out var id) ? _entries[id].Repository : null;
    }

    public SimulatedRepository? Find(long id)
    {
        lock (_lock)
            return _entries.GetValueOrDefault(id)?.Repository;
    }

    /// <summary>The repository that once had this name, if nobody else took the name since.</summary>
    public SimulatedRepository? FindFormer(string owner, string name)
    {
        lock (_lock)
            return _formerIds.TryGetValue($"{owner}/{name}", out var id) ? _entries[id].Repository : null;
    }

    /// <returns>Null if the name is taken.</returns>
    public SimulatedRepository? Create(
        string owner,
        string name,
        bool isPrivate,
        string? description = null,
        string? homepage = null,
        bool stranger = false) => Change(() =>
    {
        if (_ids.ContainsKey($"{owner}/{name}"))
            return null;

        var now = _time.GetUtcNow();
        var repository = new SimulatedRepository
        {
            Id = ++_lastId,
            Owner = owner,
            Name = name,
            Description = description,
            Homepage = homepage,
            Private = isPrivate,
            Stranger = stranger,
            CreatedAt = now,
            UpdatedAt = now,
        };
        _entries.Add(repository.Id, new(repository, []));
        _ids.Add(repository.FullName, repository.Id);
        _formerIds.Remove(repository.FullName);
        return repository;
    });

    /// <returns>Null if there is no such repository, or another one has the new name.</returns>
    public SimulatedRepository? Update(long id, Func<SimulatedRepository, SimulatedRepository> update) => Change(() =>
    {
        if (_entries.GetValueOrDefault(id) is not { } entry)
            return null;

        var before = entry.Repository;
        var after = update(before) with { Id = id, UpdatedAt = _time.GetUtcNow() };
        if (_ids.TryGetValue(after.FullName, out var holder) && holder != id)
            return null;

        _ids.Remove(before.FullName);
        _ids.Add(after.FullName, id);
        if (!before.FullName.Equals(after.FullName, StringComparison.OrdinalIgnoreCase))
            _formerIds[before.FullName] = id;
        _formerIds.Remove(after.FullName);
        entry.Repository = after;
        return after;
    });

    public bool Delete(long id) => Change(() =>
    {
        if (!_entries.Remove(id, out var entry))
            return false;

        _ids.Remove(entry.Repository.FullName);
        foreach (var name in _formerIds.Where(former => former.Value == id).Select(former => former.Key).ToArray())
            _formerIds.Remove(name);
        return true;
    });

    /// <summary>Those that can be listed: neither deleted nor transferred.</summary>
    public IReadOnlyList<SimulatedIssue> Issues(long repositoryId)
    {
        lock (_lock)
            return [.. _entries.GetValueOrDefault(repositoryId)?.Issues.Where(issue => issue.IsHere) ?? []];
    }

    public SimulatedIssue? FindIssue(long repositoryId, int number)
    {
        lock (_lock)
            return _entries.GetValueOrDefault(repositoryId)?.Find(number);
    }

    /// <returns>Null if there is no such repository.</returns>
    public SimulatedIssue? CreateIssue(long repositoryId, string title, string? body) => Change(() =>
    {
        if (_entries.GetValueOrDefault(repositoryId) is not { } entry)
            return null;

        var now = _time.GetUtcNow();
        var issue = new SimulatedIssue
        {
            Id = ++_lastId,
            Number = entry.Issues.Count + 1,
            Title = title,
            Body = body,
            CreatedAt = now,
            UpdatedAt = now,
        };
        entry.Add(issue);
        return issue;
    });

    /// <returns>Null if there is no such issue.</returns>
    public SimulatedIssue? UpdateIssue(long repositoryId, int number, Func<SimulatedIssue, SimulatedIssue> update) => Change(() =>
    {
        if (_entries.GetValueOrDefault(repositoryId) is not { } entry || entry.Find(number) is not { } before)
            return null;

        var after = update(before) with { UpdatedAt = _time.GetUtcNow() };
        entry.Replace(before, after);
        return after;
    });

    /// <returns>Where the issue is now; null if the issue or the other repository does not exist, or they are the same.</returns>
    public IssuePlace? TransferIssue(long repositoryId, int number, long toRepositoryId) => Change(() =>
    {
        if (repositoryId == toRepositoryId
            || _entries.GetValueOrDefault(repositoryId) is not { } from
            || _entries.GetValueOrDefault(toRepositoryId) is not { } to
            || from.Find(number) is not { IsHere: true } issue)
            return null;

        var place = new IssuePlace(toRepositoryId, to.Issues.Count + 1);
        to.Add(issue with { Number = place.Number });
        from.Replace(issue, issue with { TransferredTo = place });
        return place;
    });

    private T Change<T>(Func<T> change)
    {
        T result;
        long version;
        lock (_lock)
        {
            result = change();
            version = ++_version;
        }

        Save(version);
        return result;
    }

    /// <summary>One write serves all changes made before it began, so that many at once do not write the file as many times.</summary>
    private void Save(long version)
    {
        if (_file is null)
            return;

        lock (_saving)
        {
            if (_savedVersion >= version)
                return;

            SavedData data;
            lock (_lock)
            {
                data = new(
                    _lastId,
                    [.. _entries.Values.Select(entry => new SavedRepository(entry.Repository, [.. entry.Issues]))],
                    new Dictionary<string, long>(_formerIds));
                version = _version;
            }

            _file.Save(data);
            _savedVersion = version;
        }
    }

    private sealed class Entry(SimulatedRepository repository, List<SimulatedIssue> issues)
    {
        public SimulatedRepository Repository { get; set; } = repository;

        public List<SimulatedIssue> Issues => issues;

        // Numbers are never given twice and issues never leave the list, so that a number is a place in it.
        public SimulatedIssue? Find(int number) => number >= 1 && number <= issues.Count ? issues[number - 1] : null;

        public void Add(SimulatedIssue issue)
        {
            issues.Add(issue);
            Count(issue, 1);
        }

        public void Replace(SimulatedIssue before, SimulatedIssue after)
        {
            issues[before.Number - 1] = after;
            Count(before, -1);
            Count(after, 1);
        }

        private void Count(SimulatedIssue issue, int change)
        {
            if (issue is { IsHere: true, IsOpen: true })
                Repository = Repository with { OpenIssues = Repository.OpenIssues + change };
        }
    }
}
