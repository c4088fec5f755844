namespace DataService.GitHub;

/// <param name="FullName"><c>owner/name</c> as GitHub spells it.</param>
/// <param name="Id">GitHub's number, which outlives the name.</param>
/// <param name="Adopted">Whether it stood there already, made by an attempt whose answer was lost.</param>
internal sealed record CreatedRepository(string FullName, long Id, bool Adopted);

/// <summary>Who stands under a name.</summary>
internal enum Occupant
{
    /// <summary>Nobody, as far as the token sees; or one who has just come, and does not show yet.</summary>
    Nobody,

    Ours,
    Stranger,
}

/// <param name="Occupant">Who stands there.</param>
/// <param name="Repository">What is ours; else null.</param>
internal sealed record Sighting(Occupant Occupant, CreatedRepository? Repository);
