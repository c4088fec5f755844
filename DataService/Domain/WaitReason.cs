namespace DataService.Domain;

/// <summary>Why a live job lets time pass.</summary>
internal enum WaitReason
{
    /// <summary>For its turn to create content: the budget is used up, or GitHub has limited the token.</summary>
    Budget,

    /// <summary>For the end of a <see cref="CreationPause"/>.</summary>
    Resume,
}
