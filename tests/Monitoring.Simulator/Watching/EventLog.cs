namespace Monitoring.Simulator.Watching;

/// <summary>An event with all its changes since the scenario's start.</summary>
internal sealed record WatchedEvent(EventView Event, IReadOnlyList<ChangeView> Changes, IReadOnlyList<NotificationView> Notifications)
{
    /// <summary>When the first message about this change was delivered; null while none was.</summary>
    public DateTimeOffset? ToldAt(ChangeView change) =>
        Notifications.Where(message => message.Seq == change.Seq).Min(message => message.DeliveredAt);
}

/// <summary>What the product has raised since the scenario's start; older events and older changes are left out.</summary>
internal sealed class EventLog(DateTimeOffset start)
{
    private readonly Dictionary<Guid, WatchedEvent> _events = [];

    public IReadOnlyCollection<WatchedEvent> Events => _events.Values;

    /// <summary>Whether the event's changes should be read again.</summary>
    public bool IsNews(EventView seen) =>
        _events.TryGetValue(seen.Id, out var known)
            ? known.Event.Status != seen.Status || known.Event.Severity != seen.Severity
            : seen.LastSeenAt >= start - Report.Tolerance;

    /// <summary>Takes what was read and gives the changes that are new.</summary>
    public IReadOnlyList<ChangeView> Update(EventView seen, EventDetail detail)
    {
        var known = _events.TryGetValue(seen.Id, out var before) ? before.Changes : [];
        ChangeView[] changes =
        [
            .. detail.Changes.Where(change => change.ChangedAt >= start - Report.Tolerance).OrderBy(change => change.Seq),
        ];
        _events[seen.Id] = new(seen, changes, detail.Notifications);
        return [.. changes.Where(change => known.All(old => old.Seq != change.Seq))];
    }
}
