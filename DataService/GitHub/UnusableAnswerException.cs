namespace DataService.GitHub;

/// <summary>GitHub answered with a success that says nothing usable: an empty, foreign or incomplete body.</summary>
internal sealed class UnusableAnswerException(string message) : Exception(message);
