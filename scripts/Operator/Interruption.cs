using System.Runtime.InteropServices;

namespace Operator;

/// <summary>
/// Ctrl-C and SIGTERM. The first one lets the call under way come to its end, so that the script can say what was done; the second
/// one cuts it off.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly CancellationTokenSource _insisted = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption() =>
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, Handle))];

    /// <summary>For a script that was ended by it.</summary>
    public int ExitCode { get; private set; } = Operator.ExitCode.Interrupted;

    public bool IsAsked => _asked.IsCancellationRequested;

    /// <summary>For waits, and between calls.</summary>
    public CancellationToken Asked => _asked.Token;

    /// <summary>For calls.</summary>
    public CancellationToken Insisted => _insisted.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _asked.Dispose();
        _insisted.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        ExitCode = context.Signal is PosixSignal.SIGTERM ? Operator.ExitCode.Terminated : Operator.ExitCode.Interrupted;
        (IsAsked ? _insisted : _asked).Cancel();
    }
}
