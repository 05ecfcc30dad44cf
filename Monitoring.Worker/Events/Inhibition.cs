using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Worker.Events;

/// <summary>
/// Which open event speaks for which: one whose rule names the other's rule and that covers its subject, if it is at least as severe.
/// Whether that holds messages back at a moment is asked of the database (<c>inhibitions_in_force</c>), or of the
/// <see cref="EventSnapshot"/> where that is away.
/// </summary>
internal static class Inhibition
{
    /// <summary>
    /// Adds what is inhibited now and what no longer is, of the events <paramref name="known"/> and of those of the update. Once the event
    /// that spoke has ended, it stays noted in those that it spoke for. Where <paramref name="isOn"/> is not, nothing is inhibited.
    /// </summary>
    public static EventUpdate Apply(EventUpdate update, IEnumerable<SecurityEvent> known, RuleCatalog rules, bool isOn)
    {
        var now = new Dictionary<Guid, SecurityEvent>();
        foreach (var e in known.Concat(update.Events))
            now[e.EventId] = e;
        var speakers = now.Values.Where(e => e is { Covers.Length: > 0, Status: not EventStatus.Resolved })
            .OrderBy(e => e.FirstSeenAt).ThenBy(e => e.EventId)
            .ToDictionary(e => e.EventId, e => (Event: e, Covers: e.Covers!.ToHashSet()));
        bool SpeaksFor((SecurityEvent Event, HashSet<string> Covers) speaker, SecurityEvent e) =>
            speaker.Event.Severity >= e.Severity && speaker.Covers.Contains(e.Subject)
            && rules.Find(speaker.Event.RuleId)?.SpeaksFor(e.RuleId) == true;

        var changed = new List<SecurityEvent>();
        foreach (var e in now.Values.Where(e => e.Status != EventStatus.Resolved && (e.InhibitedBy is not null || speakers.Count > 0)))
        {
            var current = e.InhibitedBy is { } id && speakers.TryGetValue(id, out var found) ? found.Event : null;
            var speaker = !isOn ? null
                : current is not null && SpeaksFor(speakers[current.EventId], e) ? current.EventId
                : speakers.Values.Where(one => SpeaksFor(one, e)).Select(one => (Guid?)one.Event.EventId).FirstOrDefault();
            var inhibitedBy = speaker ?? (isOn && current is null ? e.InhibitedBy : null);
            if (inhibitedBy != e.InhibitedBy)
                changed.Add(e with { InhibitedBy = inhibitedBy });
        }

        return changed.Count == 0 ? update : update.With(changed, inhibited: changed);
    }
}
