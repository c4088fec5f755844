using System.Collections.Concurrent;
using Serilog.Core;
using Serilog.Events;

namespace DataService.Tests.Support;

/// <summary>Everything that a service under test logs, at any level.</summary>
internal sealed class LogCapture : ILogEventSink
{
    private readonly ConcurrentQueue<LogEvent> _events = [];

    public IReadOnlyList<LogEvent> Events => [.. _events];

    /// <summary>All of it as text: messages, properties and exceptions.</summary>
    public string Text => string.Join('\n', _events.Select(e =>
        $"{e.Level} {e.RenderMessage(null)} {string.Join(' ', e.Properties.Select(p => $"{p.Key}={p.Value}"))} {e.Exception}"));

    public void Emit(LogEvent logEvent) => _events.Enqueue(logEvent);
}
