using Monitoring.Data.Events;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// What a channel sends as one message: one entry is a plain message, more are a storm grouped into one, which names or counts all of them.
/// A repeat carries the same <paramref name="NotificationId"/>.
/// </summary>
internal sealed record NotificationMessage(Guid NotificationId, IReadOnlyList<NotificationEntry> Entries, bool IsTest = false);

/// <summary>
/// One change of one event. <paramref name="Severity"/> is the event's at this change, <paramref name="Indicators"/> its evidence as the
/// text of a JSON object, <paramref name="Note"/> what an operator or the rule said about the change, <paramref name="Link"/> where the
/// event can be read.
/// </summary>
internal sealed record NotificationEntry(
    Guid EventId, ChangeKind Kind, Severity Severity, string RuleId, string ThreatType, string Subject, string Title, string Description,
    DateTimeOffset FirstSeenAt, DateTimeOffset ChangedAt, string Indicators, IReadOnlyList<string> AffectedAddresses, string? Note,
    Uri? Link)
{
    /// <summary>What to say of a change that is not stored: the database's outbox reads the same from its rows.</summary>
    public static NotificationEntry Of(SecurityEvent e, SecurityEventChange change, Uri? link) => new(
        e.EventId, change.Kind, change.Severity, e.RuleId, e.ThreatType, e.Subject, e.Title, e.Description,
        e.FirstSeenAt, change.ChangedAt, e.Indicators, e.RelatedAddresses, change.Note, link);
}
