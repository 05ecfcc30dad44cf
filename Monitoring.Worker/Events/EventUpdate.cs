using Monitoring.Data.Events;

namespace Monitoring.Worker.Events;

/// <summary>
/// What a check does to the events: those of which only counts, times and newest values moved, those that are to be stored whole, and the
/// changes to append, each of one of the latter.
/// </summary>
internal sealed record EventUpdate(
    IReadOnlyList<SecurityEvent> Moved, IReadOnlyList<SecurityEvent> Rewritten, IReadOnlyList<SecurityEventChange> Changes)
{
    private readonly Lazy<Dictionary<Guid, SecurityEvent>> _rewritten = new(() => Rewritten.ToDictionary(e => e.EventId));

    public static readonly EventUpdate None = new([], [], []);

    /// <summary>All of these events as they now are.</summary>
    public IEnumerable<SecurityEvent> Events => Moved.Concat(Rewritten);

    /// <summary>The event that was changed, as it now is.</summary>
    public SecurityEvent EventOf(SecurityEventChange change) => _rewritten.Value[change.EventId];
}
