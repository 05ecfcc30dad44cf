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
        e.Severity >= MinSeverity && (ThreatTypes.Count == 0 || ThreatTypes.Contains(e.ThreatType)) && (Subjects.Count == 0 || Subjects.Any(subject => Covers(subject, e.Subject)));

    private static bool Covers(string pattern, string subject) => pattern.EndsWith('*')
        ? subject.StartsWith(pattern[..^1], StringComparison.OrdinalIgnoreCase)
        : subject.Equals(pattern, StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// Which channels hear of an event. A channel that routes name gets what one of them matches; a channel that no route names gets everything of
/// <c>ALERT_MIN_SEVERITY</c> and up.
/// </summary>
internal sealed class NotificationRouting(IEnumerable<string> channels, Severity minSeverity, IReadOnlyList<NotificationRoute> routes)
{
    /// <summary>The rule whose subject is the channel that does not work.</summary>
    public static readonly string UndeliveredRule = EngineRules.Undelivered.Id;

    private readonly string[] _channels = [.. channels];

    /// <summary>The channels to tell of this event as it now is. A channel is not asked to tell that it is broken.</summary>
    public IReadOnlyList<string> ChannelsFor(SecurityEvent e) =>
        [.. _channels.Where(channel => Takes(channel, e) && !(e.RuleId == UndeliveredRule && e.Subject == channel))];

    /// <summary>The rows that this change asks for, to be stored with it. What is not listed here the table adds by itself: see <see cref="NotificationTable"/>.</summary>
    public IEnumerable<NewNotification> For(SecurityEvent e, SecurityEventChange change) => change.Kind is ChangeKind.Opened or ChangeKind.Escalated
        ? ChannelsFor(e).Select(channel => new NewNotification(
            StableId.Of(change.ScheduledAt ?? change.ChangedAt, $"{e.EventId}", $"{change.Kind}", channel), e.EventId, change.Seq, channel, change.Kind, change.Severity, change.ChangedAt, DeliveredAt: null))
        : [];

    private bool Takes(string channel, SecurityEvent e)
    {
        var own = routes.Where(route => route.Channels.Contains(channel)).ToList();
        return own.Count > 0 ? own.Exists(route => route.Matches(e)) : e.Severity >= minSeverity;
    }
}
