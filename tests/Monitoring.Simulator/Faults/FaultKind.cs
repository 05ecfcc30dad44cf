namespace Monitoring.Simulator.Faults;

/// <summary>The ways in which an answer can go wrong.</summary>
internal enum FaultKind
{
    /// <summary>Status 500 with an HTML body.</summary>
    Http500,

    /// <summary>Status 429 with the body null.</summary>
    Http429,

    /// <summary>Status 200 with the body null.</summary>
    Null,

    /// <summary>Status 200 with the page of a content network.</summary>
    Html,

    /// <summary>The good answer, cut in the middle.</summary>
    Truncated,

    /// <summary>The good answer, late.</summary>
    Slow,

    /// <summary>No answer until the client leaves or the faults are cleared.</summary>
    Hang,

    /// <summary>Well-formed JSON of another shape.</summary>
    WrongTypes,

    /// <summary>Status 200 without a body.</summary>
    Empty,

    /// <summary>The connection is aborted.</summary>
    Reset,

    /// <summary>vaultDetails: the good answer without the relationship that names the components.</summary>
    NoComponents,

    /// <summary>Websocket: nobody may connect.</summary>
    Refuse,

    /// <summary>Websocket: the connection is aborted instead of the message.</summary>
    Drop,

    /// <summary>Websocket: nothing is sent any more, no pong either.</summary>
    Silent,

    /// <summary>Websocket: pings and subscriptions are answered, and nothing else is sent.</summary>
    NoData,

    /// <summary>Websocket: a text that is no JSON.</summary>
    Garbage,

    /// <summary>Websocket: the good message as a binary frame.</summary>
    Binary,

    /// <summary>Websocket: twenty megabytes of text.</summary>
    Huge,

    /// <summary>Websocket: the good message twice.</summary>
    Duplicate,

    /// <summary>Websocket: first every fill of the accounts once more, as if it were news.</summary>
    Replay,
}
