namespace DataService.Domain;

/// <summary>A setting is missing or wrong. The message is one line that starts with the variable's name and never repeats a secret.</summary>
internal sealed class ConfigurationException(string variable, string problem) : Exception($"{variable} {problem}");
