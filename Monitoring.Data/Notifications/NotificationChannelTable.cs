using Dapper;
using Monitoring.Data.Database;

namespace Monitoring.Data.Notifications;

/// <summary>
/// How a channel does. <paramref name="Dead"/> counts the letters that died since the moment asked for, <paramref name="DeadError"/> is the
/// newest one's.
/// </summary>
public sealed record NotificationChannelState(
    string Channel, DateTimeOffset ConfiguredAt, DateTimeOffset? LastDeliveredAt, DateTimeOffset? LastFailedAt, string? LastError,
    long Pending, DateTimeOffset? OldestPendingAt, long Dead, DateTimeOffset? NewestDeadAt, string? DeadError);

/// <summary>When the oldest of the dead letters that are counted leaves the window, and when the first silence ends.</summary>
public sealed record NotificationChannelEdges(DateTimeOffset? OldestDeadAt, DateTimeOffset? NextUnsilencedAt);

/// <summary>The table <c>notification_channels</c>: the channels that workers send through, and how they do.</summary>
public sealed class NotificationChannelTable(DatabaseConnections db)
{
    private const string RegisterSql = """
        INSERT INTO notification_channels (channel, configured_at)
        SELECT channel, @now
          FROM unnest(@channels) AS channel
            ON CONFLICT (channel) DO UPDATE SET configured_at = excluded.configured_at
        """;

    private const string GiveUpUnconfiguredSql = """
        UPDATE notifications
           SET status = 'dead', dead_at = @now, next_attempt_at = NULL, claimed_by = NULL, last_error = @error
         WHERE status = 'pending'
           AND created_at < @since
           AND NOT EXISTS (SELECT FROM notification_channels
                            WHERE notification_channels.channel = notifications.channel AND configured_at >= @since)
        """;

    /// <summary>
    /// Says that this worker has these channels, and gives up what waits since before <paramref name="since"/> for a channel that no worker
    /// has had since.
    /// </summary>
    public async Task RegisterAsync(
        string[] channels, DateTimeOffset now, DateTimeOffset since, string error, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(RegisterSql, new { channels, now }, cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new(GiveUpUnconfiguredSql, new { now, since, error }, cancellationToken: cancellationToken));
    }

    private const string ListSql = """
        SELECT channel, configured_at, last_delivered_at, last_failed_at, last_error, pending, oldest_pending_at, dead, newest_dead_at,
               dead_error
          FROM notification_channels AS c
         CROSS JOIN LATERAL (SELECT count(*) AS pending, min(created_at) FILTER (WHERE isfinite(created_at)) AS oldest_pending_at
                               FROM notifications
                              WHERE notifications.channel = c.channel AND status = 'pending'
                                AND NOT (message_id IS NULL
                                         AND (EXISTS (SELECT FROM security_events AS e JOIN silences_in_force(@now) USING (fingerprint)
                                                       WHERE e.event_id = notifications.event_id)
                                              OR EXISTS (SELECT FROM inhibitions_in_force(@now) AS inhibition
                                                          WHERE inhibition.event_id = notifications.event_id)))) AS waiting
         CROSS JOIN LATERAL (SELECT count(*) AS dead, max(dead_at) AS newest_dead_at,
                                    (array_agg(n.last_error ORDER BY dead_at DESC))[1] AS dead_error
                               FROM notifications AS n
                               JOIN security_events USING (event_id)
                              WHERE n.channel = c.channel AND n.status = 'dead' AND dead_at >= @since AND rule_id <> @exceptRule) AS letters
         ORDER BY channel
         LIMIT 100
        """;

    /// <summary>As <see cref="ListAsync"/>, of all rules.</summary>
    public static BatchRows<NotificationChannelState> List(DatabaseBatch batch, DateTimeOffset now, DateTimeOffset since) =>
        batch.Add<NotificationChannelState>(ListSql, ("now", now), ("since", since), ("exceptRule", ""));

    private const string FindEdgesSql = """
        SELECT (SELECT min(dead_at) FROM notifications WHERE status = 'dead' AND dead_at >= @since) AS oldest_dead_at,
               (SELECT min(until) FROM silences_in_force(@now) WHERE isfinite(until)) AS next_unsilenced_at
        """;

    /// <summary>What time alone will change in the states of the channels.</summary>
    public static BatchRows<NotificationChannelEdges> FindEdges(DatabaseBatch batch, DateTimeOffset now, DateTimeOffset since) =>
        batch.Add<NotificationChannelEdges>(FindEdgesSql, ("now", now), ("since", since));

    /// <summary>
    /// Every channel by name. What is silenced or inhibited does not count as pending; dead letters about <paramref name="exceptRule"/> are
    /// not counted.
    /// </summary>
    public async Task<IReadOnlyList<NotificationChannelState>> ListAsync(
        DateTimeOffset now, DateTimeOffset since, string exceptRule, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<NotificationChannelState>(
            new(ListSql, new { now, since, exceptRule }, cancellationToken: cancellationToken))).AsList();
    }
}
