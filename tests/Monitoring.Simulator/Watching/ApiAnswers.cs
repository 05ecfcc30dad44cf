using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Watching;

/// <summary>GET /security/events, as far as the watch reads it.</summary>
internal sealed record EventList(IReadOnlyList<EventView> Events);

/// <summary>A security event of the product.</summary>
internal sealed record EventView(Guid Id, string RuleId, Severity Severity, string Status, string Title, DateTimeOffset LastSeenAt);

/// <summary>GET /security/events/{id}, as far as the watch reads it.</summary>
internal sealed record EventDetail(IReadOnlyList<ChangeView> Changes, IReadOnlyList<NotificationView> Notifications);

/// <summary>One message about the change with this number.</summary>
internal sealed record NotificationView(long Seq, DateTimeOffset? DeliveredAt);

/// <summary>One step in an event's life.</summary>
internal sealed record ChangeView(
    long Seq, DateTimeOffset ChangedAt, string Kind, Severity Severity, string? Actor = null, string? Note = null)
{
    /// <summary>Whether the event became as severe as this with this change.</summary>
    public bool IsRise => Kind is "opened" or "escalated";
}
