namespace DataService.GitHub;

/// <param name="FullName"><c>owner/name</c> as GitHub spells it.</param>
/// <param name="Adopted">Whether it stood there already, made by an attempt whose answer was lost.</param>
internal sealed record CreatedRepository(string FullName, bool Adopted);
