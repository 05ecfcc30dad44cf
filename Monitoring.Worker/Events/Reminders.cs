using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Wording;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Events;

/// <summary>
/// Repeats what is open and that nobody has acknowledged, and asks further routes when nobody has in time. The watchdog's checks are its
/// clock: they come on the grid and are stored once, whoever makes them, so that of two workers one reminds, and an outage or a restart
/// changes nothing.
/// </summary>
internal static class Reminders
{
    /// <summary>
    /// Adds what is due at a check of the watchdog, of the events <paramref name="open"/> as the update has left them. What is held back is
    /// not repeated; its time begins anew.
    /// </summary>
    public static EventUpdate Apply(
        EventUpdate update, IEnumerable<SecurityEvent> open, EventOptions options, NotificationRouting routing,
        Func<SecurityEvent, bool> isHeld, RuleCatalog rules, DateTimeOffset at, DateTimeOffset now)
    {
        var since = update.Events.ToDictionary(e => e.EventId);
        var (reminded, changes) = (new List<SecurityEvent>(), new List<SecurityEventChange>());
        foreach (var e in open.Select(e => since.GetValueOrDefault(e.EventId, e)).Where(e => e.Status == EventStatus.Open)
            .DistinctBy(e => e.EventId).OrderBy(e => e.EventId))
        {
            var repeats = options.Remind.TryGetValue(e.Severity, out var every) && at >= (e.NotifiedAt ?? e.FirstSeenAt) + every;
            var asked = Math.Max(routing.AskedWithin(at - e.FirstSeenAt), e.AskedAfter);
            if (!repeats && asked == e.AskedAfter)
                continue;
            if (isHeld(e))
            {
                if (repeats)
                    reminded.Add(e with { NotifiedAt = at });
                continue;
            }

            var next = EventMeasures.Told(e) with { NotifiedAt = repeats ? at : e.NotifiedAt, AskedAfter = asked };
            reminded.Add(next);
            if (repeats || routing.AddedChannels(next, since: e.AskedAfter).Count > 0)
                changes.Add(Change(next, at, rules, now));
        }

        return reminded.Count == 0 ? update : update.With(reminded, reminded: reminded, changes: changes);
    }

    private static SecurityEventChange Change(SecurityEvent e, DateTimeOffset at, RuleCatalog rules, DateTimeOffset now) => new(
        Seq: 0, e.EventId, now, at, ChangeKind.Reminded, e.Severity, Actor: "worker",
        $"open for {Words.Span(at - e.FirstSeenAt)}, and nobody has acknowledged it"
        + (EventWords.State(e, rules, at) is { } state ? $"; {state}" : ""), Evidence: null);
}
