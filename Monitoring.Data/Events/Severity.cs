namespace Monitoring.Data.Events;

/// <summary>How bad a finding is, in rising order.</summary>
public enum Severity { Info, Low, Medium, High, Critical }

/// <summary>Where a security event is in its life.</summary>
public enum EventStatus { Open, Acknowledged, Resolved }

/// <summary>
/// What a change did to an event. An event ends when it is <see cref="Resolved"/>, or, where it is something that happened once,
/// <see cref="Expired"/>.
/// </summary>
public enum ChangeKind
{
    Opened, Escalated, Worsened, Flapping, Acknowledged, Unacknowledged, Silenced, Unsilenced, Reminded, Resolved, Expired, Reopened,
}

/// <summary>What kinds of changes have in common.</summary>
public static class ChangeKinds
{
    /// <summary>
    /// Whether its messages call for people: those that a silence or an inhibition holds back, and that later ones follow. In the
    /// database the function <c>announces</c> says the same.
    /// </summary>
    public static bool Announces(this ChangeKind kind) =>
        kind is ChangeKind.Opened or ChangeKind.Escalated or ChangeKind.Worsened or ChangeKind.Flapping or ChangeKind.Reminded;

    /// <summary>Whether the event is over with this change.</summary>
    public static bool Ends(this ChangeKind kind) => kind is ChangeKind.Resolved or ChangeKind.Expired;
}
