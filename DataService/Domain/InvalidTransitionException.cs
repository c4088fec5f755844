namespace DataService.Domain;

/// <summary>An entity was asked for a change that its present state does not allow. The message is written for the caller.</summary>
internal sealed class InvalidTransitionException(string message) : InvalidOperationException(message);
