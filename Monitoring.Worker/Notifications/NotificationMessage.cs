using Monitoring.Data.Events;
using Monitoring.Data.Logging;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// What a channel sends as one message: one entry is a plain message, more are a storm grouped into one, which names or counts all of them.
/// A repeat carries the same <paramref name="NotificationId"/>.
/// </summary>
internal sealed record NotificationMessage(Guid NotificationId, IReadOnlyList<NotificationEntry> Entries, bool IsTest = false)
{
    /// <summary>The same without characters that show other than they read, whichever channel it takes.</summary>
    public NotificationMessage Cleaned() => this with { Entries = [.. Entries.Select(entry => entry.Cleaned())] };
}

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
    /// <summary>The same with each text as a plain line.</summary>
    public NotificationEntry Cleaned() => this with
    {
        RuleId = PlainText.OneLine(RuleId), ThreatType = PlainText.OneLine(ThreatType), Subject = PlainText.OneLine(Subject),
        Title = PlainText.OneLine(Title), Description = PlainText.OneLine(Description),
        Note = Note is null ? null : PlainText.OneLine(Note),
        AffectedAddresses = [.. AffectedAddresses.Select(PlainText.OneLine)],
    };

    /// <summary>What to say of a change that is not stored: the database's outbox reads the same from its rows.</summary>
    public static NotificationEntry Of(SecurityEvent e, SecurityEventChange change, Uri? link) => new(
        e.EventId, change.Kind, change.Severity, e.RuleId, e.ThreatType, e.Subject, e.Title, e.Description,
        e.FirstSeenAt, change.ChangedAt, e.Indicators, e.RelatedAddresses, change.Note, link);
}
