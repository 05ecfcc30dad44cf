using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// Sends what matches it to its channels. Empty <paramref name="ThreatTypes"/> or <paramref name="Subjects"/> match all;
/// a subject that ends with <c>*</c> matches all that begin like it. It is asked only when nobody has acknowledged the event within so many
/// seconds <see cref="After"/> its opening.
/// </summary>
internal sealed record NotificationRoute(
    string Name, IReadOnlyList<string> Channels, Severity MinSeverity, IReadOnlyList<string> ThreatTypes, IReadOnlyList<string> Subjects)
{
    public int After { get; init; }

    public bool Matches(SecurityEvent e) =>
        e.AskedAfter >= After && e.Severity >= MinSeverity && (ThreatTypes.Count == 0 || ThreatTypes.Contains(e.ThreatType))
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

    /// <summary>The longest that a route waits for an acknowledgement, in seconds; 0 where none waits.</summary>
    public int LongestAfter { get; } = routes.Select(route => route.After).DefaultIfEmpty().Max();

    /// <summary>The shortest that a route waits, in seconds; 0 where none waits.</summary>
    public int ShortestAfter { get; } = routes.Select(route => route.After).Where(after => after > 0).DefaultIfEmpty().Min();

    /// <summary>The routes that wait no longer than this are to be asked: the longest wait among them, in seconds.</summary>
    public int AskedWithin(TimeSpan age) =>
        routes.Select(route => route.After).Where(after => after <= age.TotalSeconds).DefaultIfEmpty().Max();

    /// <summary>The channels of the routes that are asked of an event after a wait of more than so many seconds.</summary>
    public IReadOnlyList<string> AddedChannels(SecurityEvent e, int since) => [.. Working(e).Where(channel =>
        routes.Any(route => route.After > since && route.Channels.Contains(channel) && route.Matches(e)))];

    /// <summary>
    /// The channels to notify of a change of this event, as it now is: all that a route names; of an event that nobody acknowledged in time
    /// those of the further routes alone. Of an opening that is one too many, its flapping says all.
    /// </summary>
    public IReadOnlyList<string> ChannelsFor(SecurityEvent e, SecurityEventChange change) =>
        !change.Kind.Announces() || (change.Kind == ChangeKind.Opened && e.IsFlapping()) ? []
        : IsFurtherRoute(e, change) ? AddedChannels(e, since: 0)
        : [.. Working(e).Where(channel => Takes(channel, e))];

    /// <summary>
    /// The rows that a change asks for, to be stored with it: one per channel that a route names, and where the event was announced before
    /// one without a channel, for all that were notified of it. How acknowledgements and resolutions go on, the database decides: see
    /// <see cref="NotificationTable"/>.
    /// </summary>
    public IEnumerable<NewNotification> For(SecurityEvent e, SecurityEventChange change)
    {
        if (!change.Kind.Announces())
            return [];
        NewNotification Row(Guid id, string? channel) =>
            new(id, e.EventId, change.Seq, channel, change.Kind, change.Severity, change.ChangedAt, DeliveredAt: null,
                OnlyFirst: IsFurtherRoute(e, change));
        var routed = ChannelsFor(e, change).Select(channel => Row(IdOf(e, change, channel), channel));
        return change.Kind is ChangeKind.Opened or ChangeKind.Flapping || IsFurtherRoute(e, change) ? routed
            : routed.Append(Row(Guid.Empty, channel: null));
    }

    /// <summary>
    /// Whether a change says that nobody acknowledged the event in time, to those who were not asked before and to nobody else.
    /// </summary>
    public static bool IsFurtherRoute(SecurityEvent e, SecurityEventChange change) =>
        change.Kind == ChangeKind.Reminded && e.NotifiedAt != change.ScheduledAt;

    /// <summary>
    /// The id of one notification: it follows from what it is about, so that it is the same with and without the database.
    /// </summary>
    public static Guid IdOf(SecurityEvent e, SecurityEventChange change, string channel) =>
        StableId.Of(change.ScheduledAt ?? change.ChangedAt, $"{e.EventId}", $"{change.Kind}", channel);

    // A channel is not asked to report that it is broken.
    private IEnumerable<string> Working(SecurityEvent e) =>
        _channels.Where(channel => !(e.RuleId == UndeliveredRule && e.Subject == channel));

    private bool Takes(string channel, SecurityEvent e)
    {
        var own = routes.Where(route => route.Channels.Contains(channel)).ToList();
        return own.Count > 0 ? own.Exists(route => route.Matches(e)) : e.Severity >= minSeverity;
    }
}
