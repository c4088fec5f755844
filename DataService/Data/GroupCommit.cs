using System.Diagnostics;

namespace DataService.Data;

/// <summary>
/// Group commit: what is asked for while the database is at the work of others waits for it and then goes together, as one statement and one
/// write to the disk. What is asked for alone goes at once. So the more there is to do, the less each costs.
/// </summary>
/// <param name="atOnce">Groups under way at the same time.</param>
/// <param name="most">Members of a group.</param>
/// <param name="commit">
/// Answers all members of a group, in their order. What it throws goes to each of them. It runs in the context of the first: its trace, its
/// place in the log. The others' traces lead there by a link.
/// </param>
internal sealed class GroupCommit<TAsked, TAnswer>(int atOnce, int most, Func<IReadOnlyList<TAsked>, Task<IReadOnlyList<TAnswer>>> commit)
{
    private readonly Lock _lock = new();
    private readonly Queue<Member> _waiting = [];
    private int _underWay;

    /// <summary>Those who are in no group yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>Goes with the next group.</summary>
    /// <param name="asked">What is to be committed.</param>
    /// <param name="cancellationToken">
    /// Gives up waiting. One whose group is under way by then is committed all the same, as if only the answer had been lost.
    /// </param>
    public Task<TAnswer> CommitAsync(TAsked asked, CancellationToken cancellationToken)
    {
        var member = new Member(asked, ExecutionContext.Capture(), Activity.Current, cancellationToken);
        bool begins;
        lock (_lock)
        {
            _waiting.Enqueue(member);
            begins = _underWay < atOnce;
            if (begins)
                _underWay++;
        }

        if (begins)
            _ = CommitWaitingAsync();
        return member.Answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Commits one group after the other until nobody waits. Each group has a context of its own, whoever has begun.</summary>
    private async Task CommitWaitingAsync()
    {
        while (Next() is { Count: > 0 } group)
        {
            try
            {
                var answers = await InContextOfFirst(group);
                for (var i = 0; i < group.Count; i++)
                    group[i].Answer.SetResult(answers[i]);
            }
            catch (Exception exception)
            {
                foreach (var member in group)
                {
                    member.Answer.TrySetException(exception);
                    // Nobody may be there to look at it.
                    _ = member.Answer.Task.Exception;
                }
            }
        }
    }

    private List<Member> Next()
    {
        var group = new List<Member>();
        lock (_lock)
        {
            while (group.Count < most && _waiting.TryDequeue(out var member))
            {
                // Nobody waits for this one any more, who has seen it end.
                if (!member.CancellationToken.IsCancellationRequested)
                    group.Add(member);
            }

            if (group is [])
                _underWay--;
        }

        return group;
    }

    private Task<IReadOnlyList<TAnswer>> InContextOfFirst(List<Member> group)
    {
        var asked = group.ConvertAll(member => member.Asked);
        if (group[0].Span is { } first)
        {
            foreach (var member in group.Skip(1))
            {
                if (member.Span is { IsAllDataRequested: true } span)
                    span.AddLink(new ActivityLink(first.Context));
            }
        }

        if (group[0].Context is not { } context)
            return commit(asked);
        Task<IReadOnlyList<TAnswer>>? task = null;
        ExecutionContext.Run(context, _ => task = commit(asked), null);
        return task!;
    }

    private sealed record Member(TAsked Asked, ExecutionContext? Context, Activity? Span, CancellationToken CancellationToken)
    {
        public TaskCompletionSource<TAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
