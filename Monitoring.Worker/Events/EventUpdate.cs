using Monitoring.Data.Events;

namespace Monitoring.Worker.Events;

/// <summary>
/// What a check does to the events: those of which only counts, times and newest values moved, those that are to be stored whole, and the
/// changes to append. Of events of any monitor also those that others now inhibit, or no longer do (<paramref name="Inhibited"/>), and
/// those of which people are reminded, or would be if they were not held back (<paramref name="Reminded"/>). An event that is in several
/// lists is the same in all.
/// </summary>
internal sealed record EventUpdate(
    IReadOnlyList<SecurityEvent> Moved, IReadOnlyList<SecurityEvent> Rewritten, IReadOnlyList<SecurityEvent> Inhibited,
    IReadOnlyList<SecurityEvent> Reminded, IReadOnlyList<SecurityEventChange> Changes)
{
    private readonly Lazy<Dictionary<Guid, SecurityEvent>> _changed = new(
        () => Rewritten.Concat(Reminded).DistinctBy(e => e.EventId).ToDictionary(e => e.EventId));

    public static readonly EventUpdate None = new([], [], [], [], []);

    /// <summary>All of these events, each once, as they now are.</summary>
    public IEnumerable<SecurityEvent> Events => Inhibited.Count + Reminded.Count == 0 ? Moved.Concat(Rewritten)
        : Moved.Concat(Rewritten).Concat(Inhibited).Concat(Reminded).DistinctBy(e => e.EventId);

    /// <summary>The event that was changed, as it now is.</summary>
    public SecurityEvent EventOf(SecurityEventChange change) => _changed.Value[change.EventId];

    /// <summary>The same with these events as they have become since.</summary>
    public EventUpdate With(
        IReadOnlyList<SecurityEvent> become, IReadOnlyList<SecurityEvent>? inhibited = null, IReadOnlyList<SecurityEvent>? reminded = null,
        IReadOnlyList<SecurityEventChange>? changes = null)
    {
        var now = become.ToDictionary(e => e.EventId);
        SecurityEvent[] Renew(IReadOnlyList<SecurityEvent> events) => [.. events.Select(e => now.GetValueOrDefault(e.EventId, e))];
        return new EventUpdate(Renew(Moved), Renew(Rewritten), [.. Renew(Inhibited), .. inhibited ?? []],
            [.. Renew(Reminded), .. reminded ?? []], [.. Changes, .. changes ?? []]);
    }
}
