using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// Sends what matches it to its channels. Empty <paramref name="ThreatTypes"/> or <paramref name="Subjects"/> match all;
/// a subject that ends with <c>*</c> matches all that begin like it.
/// </summary>
internal sealed record NotificationRoute(
    string Name, IReadOnlyList<string> Channels, Severity MinSeverity, IReadOnlyList<string> ThreatTypes, IReadOnlyList<string> Subjects)
{
    public bool Matches(SecurityEvent e) =>
        e.Severity >= MinSeverity && (ThreatTypes.Count == 0 || ThreatTypes.Contains(e.ThreatType))
        && (Subjects.Count == 0 || Subjects.Any(subject => Covers(subject, e.Subject)));

    private static bool Covers(string pattern, string subject) => pattern.EndsWith('*')
        ? subject.StartsWith(pattern[..^1], StringComparison.OrdinalIgnoreCase)
        : subject.Equals(pattern, StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// Which channels are notified of an event. A channel that routes name gets what one of them matches; a channel that no route names gets
/// everything of <c>ALERT_MIN_SEVERITY</c> and up.
/// </summary>
internal sealed class NotificationRouting(IEnumerable<string> channels, Severity minSeverity, IReadOnlyList<NotificationRoute> routes)
{
    /// <summary>The rule whose subject is the channel that does not work.</summary>
    public static readonly string UndeliveredRule = EngineRules.Undelivered.Id;

    private readonly string[] _channels = [.. channels];

    /// <summary>The channels to notify of this event as it now is. A channel is not asked to report that it is broken.</summary>
    public IReadOnlyList<string> ChannelsFor(SecurityEvent e) =>
        [.. _channels.Where(channel => Takes(channel, e) && !(e.RuleId == UndeliveredRule && e.Subject == channel))];

    /// <summary>
    /// The rows that an opening or an escalation asks for, to be stored with it: one per channel that a route names, and for an escalation
    /// one without a channel, for all that were notified of the event before. How acknowledgements and resolutions go on, the database
    /// decides: see <see cref="NotificationTable"/>.
    /// </summary>
    public IEnumerable<NewNotification> For(SecurityEvent e, SecurityEventChange change)
    {
        if (change.Kind is not (ChangeKind.Opened or ChangeKind.Escalated))
            return [];
        NewNotification Row(Guid id, string? channel) =>
            new(id, e.EventId, change.Seq, channel, change.Kind, change.Severity, change.ChangedAt, DeliveredAt: null);
        var routed = ChannelsFor(e).Select(channel => Row(IdOf(e, change, channel), channel));
        return change.Kind == ChangeKind.Escalated ? routed.Append(Row(Guid.Empty, channel: null)) : routed;
    }

    /// <summary>
    /// The id of one notification: it follows from what it is about, so that it is the same with and without the database.
    /// </summary>
    public static Guid IdOf(SecurityEvent e, SecurityEventChange change, string channel) =>
        StableId.Of(change.ScheduledAt ?? change.ChangedAt, $"{e.EventId}", $"{change.Kind}", channel);

    private bool Takes(string channel, SecurityEvent e)
    {
        var own = routes.Where(route => route.Channels.Contains(channel)).ToList();
        return own.Count > 0 ? own.Exists(route => route.Matches(e)) : e.Severity >= minSeverity;
    }
}
