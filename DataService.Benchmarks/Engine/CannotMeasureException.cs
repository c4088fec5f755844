namespace DataService.Benchmarks.Engine;

/// <summary>The benchmark cannot be run here. The message is for the person at the terminal.</summary>
internal sealed class CannotMeasureException(string message) : Exception(message);
