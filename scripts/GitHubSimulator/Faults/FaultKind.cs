using System.Text.Json.Serialization;

namespace GitHubSimulator.Faults;

/// <summary>What goes wrong. "Works" means: the call does its work on the simulator's repositories, as GitHub would have.</summary>
internal enum FaultKind
{
    /// <summary>Waits, then works and answers; works also when the client has given up by then.</summary>
    Delay,

    /// <summary>No answer until the client leaves (then no work was done) or the fault is removed (then it works and answers).</summary>
    Hang,

    /// <summary>Answers with a preset, or with any status, message, body and headers.</summary>
    Refuse,

    /// <summary>The HTML page of GitHub's load balancer, status 502 unless told.</summary>
    BadGateway,

    /// <summary>A JSON error, status 500 unless told.</summary>
    ServerError,

    /// <summary>Works, then drops the connection.</summary>
    LostAnswer,

    /// <summary>Drops the connection and does no work.</summary>
    Reset,

    /// <summary>Works, sends the headers and half of the body, then nothing more until the client leaves or the fault is removed.</summary>
    StalledBody,

    /// <summary>Works, answers with the first half of the JSON as if that were all.</summary>
    TruncatedBody,

    /// <summary>Works, announces the whole body, sends half of it and drops the connection.</summary>
    CutBody,

    /// <summary>Works, answers with no body.</summary>
    EmptyBody,

    /// <summary>Works, answers with the JSON value null.</summary>
    NullBody,

    /// <summary>Works, sends the headers and then blanks until the client leaves or the fault is removed.</summary>
    EndlessBody,

    /// <summary>200 and a page of HTML, as from a proxy that stands before GitHub; does no work.</summary>
    HtmlBody,

    PrimaryLimit,

    [JsonStringEnumMemberName("primary-limit-429")]
    PrimaryLimit429,

    SecondaryLimit,

    [JsonStringEnumMemberName("secondary-limit-429")]
    SecondaryLimit429,

    Abuse,

    /// <summary>A GET of a repository, or of something in it, answers 404.</summary>
    NotYetVisible,

    /// <summary>Points to the location: 301 for a GET, 307 for others unless told.</summary>
    Redirect,

    /// <summary>Puts a stranger's repository under the name that is asked for, then works: so a creation finds its name taken.</summary>
    TakenByStranger,
}

/// <summary>Ready-made answers for <see cref="FaultKind.Refuse"/>.</summary>
internal enum RefusalPreset
{
    BadCredentials,
    Permission,
    NotAdmin,
    Sso,
    TokenLifetime,
    PlanLimit,
    Validation,
    NameTaken,
    OrgNotFound,

    [JsonStringEnumMemberName("unavailable-451")]
    Unavailable451,

    [JsonStringEnumMemberName("gone-410")]
    Gone410,
}
