namespace DataService.Benchmarks.Bench;

/// <summary>The benchmark cannot be run here. The message is for the person at the terminal.</summary>
internal sealed class CannotRunException(string message) : Exception(message);
