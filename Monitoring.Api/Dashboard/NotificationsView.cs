using System.Text.Json.Serialization;
using Monitoring.Data.Notifications;

namespace Monitoring.Api.Dashboard;

/// <summary>How one channel does. <c>is_configured</c>: some worker sends through it. <c>pending</c> leaves out what is silenced.</summary>
public sealed record ChannelDeliveryView(
    string Channel, bool IsConfigured, long Pending, double? OldestPendingAgeSeconds, [property: JsonPropertyName("dead_24h")] long Dead24h,
    DateTimeOffset? LastDeliveredAt, DateTimeOffset? LastFailedAt, string? LastError);

/// <summary>What waits to be told and what was lost within a day, over all channels and for each.</summary>
public sealed record NotificationsView(
    long Pending, double? OldestPendingAgeSeconds, [property: JsonPropertyName(
        "dead_24h")] long Dead24h, IReadOnlyList<ChannelDeliveryView> Channels)
{
    // Workers say it every minute.
    private static readonly TimeSpan WordLasts = TimeSpan.FromMinutes(5);

    internal static bool IsConfigured(DateTimeOffset configuredAt, DateTimeOffset now) => now - configuredAt <= WordLasts;

    internal static NotificationsView Of(IReadOnlyList<NotificationChannelState> states, DateTimeOffset now)
    {
        var channels = states.Select(state => new ChannelDeliveryView(
            state.Channel, IsConfigured(state.ConfiguredAt, now), state.Pending, (now - state.OldestPendingAt)?.TotalSeconds, state.Dead,
            state.LastDeliveredAt, state.LastFailedAt, state.LastError)).ToList();
        return new NotificationsView(
            channels.Sum(channel => channel.Pending), channels.Max(channel => channel.OldestPendingAgeSeconds),
                channels.Sum(channel => channel.Dead24h), channels);
    }
}
