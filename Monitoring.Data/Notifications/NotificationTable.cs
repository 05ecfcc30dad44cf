using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Npgsql;

namespace Monitoring.Data.Notifications;

/// <summary>
/// Where a notification is in its life. <see cref="Silenced"/> and <see cref="Inhibited"/>: withdrawn, because its event was acknowledged
/// or resolved while it was that and before anything was sent.
/// </summary>
public enum NotificationStatus { Pending, Delivered, Dead, Silenced, Inhibited }

/// <summary>
/// A message to one channel about one change that is to be written; without a <paramref name="Channel"/>, one to each channel that was
/// notified of the event before and is not named beside it. With <paramref name="MessageId"/> it belongs to a message that was begun
/// already: sent at <paramref name="DeliveredAt"/>, or, where that is missing, to be repeated as it was. With
/// <paramref name="OnlyFirst"/> it is left out where the channel was notified of the event before.
/// </summary>
public sealed record NewNotification(
    Guid NotificationId, Guid EventId, long Seq, string? Channel, ChangeKind Kind, Severity Severity, DateTimeOffset CreatedAt,
    DateTimeOffset? DeliveredAt, Guid? MessageId = null, bool OnlyFirst = false);

/// <summary>One notification of an event as the outbox holds it. <paramref name="MessageId"/> is the id that the receiver saw.</summary>
public sealed record Notification(
    Guid NotificationId, long Seq, string Channel, ChangeKind Kind, Severity Severity, NotificationStatus Status, DateTimeOffset CreatedAt,
    Guid? MessageId, int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset? DeliveredAt, DateTimeOffset? DeadAt, string? LastError);

/// <summary>
/// The table <c>notifications</c>: the outbox. Its rows are written in the transaction of the change that they are
/// about, and each by one writer alone. Who is notified of an opening, an escalation or a reminder is configuration, so the worker
/// writes those, all with <see cref="AddAsync"/>. Acknowledgements and resolutions also come from the read service and
/// from commands, and go to whoever was notified before, so the database writes those: the trigger
/// <c>notify_followers</c> of <c>security_event_changes</c>.
/// </summary>
public sealed class NotificationTable(DatabaseConnections db, UnreadableRows? unreadable = null)
{
    private readonly UnreadableRows _unreadable = unreadable ?? new UnreadableRows();

    // Those whose channel is named and that are no reminders: nearly all. The general statement would take longer to plan than to run.
    private const string AddNamedSql = """
        INSERT INTO notifications (notification_id, event_id, seq, channel, kind, severity, created_at, status, message_id, attempts,
                                   delivered_at)
        SELECT notification_id, event_id, seq, channel, kind, severity, created_at,
               CASE WHEN is_sent THEN 'delivered' ELSE 'pending' END, message_id, is_sent::integer, CASE WHEN is_sent THEN sent_at END
          FROM unnest(@notificationIds, @eventIds, @seqs, @channels, @kinds, @severities, @times, @sent, @sentAts, @messageIds)
               AS asked (notification_id, event_id, seq, channel, kind, severity, created_at, is_sent, sent_at, message_id)
        """;

    // Nobody is reminded of what still waits to be said; what was lost is tried again by a reminder.
    private const string AddSql = """
        WITH asked AS (
            SELECT notification_id, event_id, seq, channel, kind, severity, created_at, is_sent, sent_at, message_id, only_first
              FROM unnest(@notificationIds, @eventIds, @seqs, @channels, @kinds, @severities, @times, @sent, @sentAts, @messageIds,
                          @onlyFirsts)
                   AS t (notification_id, event_id, seq, channel, kind, severity, created_at, is_sent, sent_at, message_id, only_first)),
        followers AS (
            SELECT DISTINCT event_id, asked.seq, notified.channel, asked.kind, asked.severity, asked.created_at
              FROM asked
              JOIN notifications AS notified USING (event_id)
             WHERE asked.channel IS NULL AND announces(notified.kind)
               AND (notified.status IN ('pending', 'delivered') OR (asked.kind = 'reminded' AND notified.status = 'dead'))
               AND NOT EXISTS (SELECT FROM asked AS named WHERE named.seq = asked.seq AND named.channel = notified.channel)
               AND NOT (asked.kind = 'reminded'
                        AND EXISTS (SELECT FROM notifications AS waiting
                                     WHERE waiting.event_id = asked.event_id AND waiting.channel = notified.channel
                                       AND waiting.status = 'pending')))
        INSERT INTO notifications (notification_id, event_id, seq, channel, kind, severity, created_at, status, message_id, attempts,
                                   delivered_at)
        SELECT notification_id, event_id, seq, channel, kind, severity, created_at,
               CASE WHEN is_sent THEN 'delivered' ELSE 'pending' END, message_id, is_sent::integer, CASE WHEN is_sent THEN sent_at END
          FROM asked
         WHERE channel IS NOT NULL
           AND NOT (kind = 'reminded' AND message_id IS NULL
                    AND EXISTS (SELECT FROM notifications AS before
                                 WHERE before.event_id = asked.event_id AND before.channel = asked.channel
                                   AND (before.status = 'pending'
                                        OR (only_first AND before.status = 'delivered' AND announces(before.kind)))))
         UNION ALL
        SELECT gen_random_uuid(), event_id, seq, channel, kind, severity, created_at, 'pending', NULL, 0, NULL
          FROM followers
        """;

    // What went out meanwhile said everything so far: an earlier row that still waits would come after it.
    private const string MarkOvertakenSql = """
        UPDATE notifications AS earlier
           SET status = 'delivered', message_id = sent.message_id, attempts = sent.attempts, delivered_at = sent.delivered_at,
               next_attempt_at = NULL, claimed_by = NULL
          FROM notifications AS sent
         WHERE sent.notification_id = ANY (@notificationIds) AND sent.status = 'delivered'
           AND earlier.event_id = sent.event_id AND earlier.channel = sent.channel AND earlier.seq < sent.seq
           AND earlier.status = 'pending' AND earlier.message_id IS NULL
        """;

    /// <summary>
    /// Writes these in one round trip. Where one was sent already, the earlier rows of its event and channel that still wait count as sent
    /// with it.
    /// </summary>
    public async Task AddAsync(IReadOnlyList<NewNotification> rows, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return;
        var connection = transaction.Connection!;
        await connection.ExecuteAsync(new(rows.All(IsNamed) ? AddNamedSql : AddSql, new
        {
            notificationIds = rows.Select(row => row.NotificationId).ToArray(),
            eventIds = rows.Select(row => row.EventId).ToArray(),
            seqs = rows.Select(row => row.Seq).ToArray(),
            channels = rows.Select(row => row.Channel).ToArray(),
            kinds = rows.Select(row => SnakeCase.Of(row.Kind)).ToArray(),
            severities = rows.Select(row => SnakeCase.Of(row.Severity)).ToArray(),
            times = rows.Select(row => row.CreatedAt.UtcDateTime).ToArray(),
            sent = rows.Select(row => row.DeliveredAt is not null).ToArray(),
            // An array that begins with null is no array of timestamptz.
            sentAts = rows.Select(row => (row.DeliveredAt ?? row.CreatedAt).UtcDateTime).ToArray(),
            messageIds = rows.Select(row => row.MessageId).ToArray(),
            onlyFirsts = rows.Select(row => row.OnlyFirst).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
        var sent = rows.Where(row => row.DeliveredAt is not null).Select(row => row.NotificationId).ToArray();
        if (sent.Length > 0)
            await connection.ExecuteAsync(
                new(MarkOvertakenSql, new { notificationIds = sent }, transaction, cancellationToken: cancellationToken));
    }

    private static bool IsNamed(NewNotification row) => row.Channel is not null && row.Kind != ChangeKind.Reminded;

    private const string MarkSentSql = """
        UPDATE notifications
           SET status = 'delivered', message_id = @messageId, attempts = greatest(attempts, 1), delivered_at = @deliveredAt,
               next_attempt_at = NULL, claimed_by = NULL, last_error = NULL
         WHERE (notification_id = ANY (@notificationIds) OR message_id = @messageId) AND status = 'pending'
        """;

    /// <summary>
    /// Marks rows as sent in a message that went out while the database was away, and the rows that were in that message before. Those that
    /// are not stored, or no longer wait, stay as they are.
    /// </summary>
    public async Task MarkSentAsync(
        IReadOnlyCollection<Guid> notificationIds, Guid messageId, DateTimeOffset deliveredAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        var parameters = new { notificationIds = notificationIds.ToArray(), messageId, deliveredAt };
        await connection.ExecuteAsync(new(MarkSentSql, parameters, cancellationToken: cancellationToken));
    }

    private const string MarkBegunSql = """
        UPDATE notifications
           SET message_id = @messageId
         WHERE notification_id = ANY (@notificationIds) AND status = 'pending' AND message_id IS NULL
        """;

    /// <summary>
    /// Puts rows into the message in which they were tried while the database was away: the next attempt is a repeat of it.
    /// </summary>
    public async Task MarkBegunAsync(IReadOnlyCollection<Guid> notificationIds, Guid messageId, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            new(MarkBegunSql, new { notificationIds = notificationIds.ToArray(), messageId }, cancellationToken: cancellationToken));
    }

    private const string ListOfEventSql = """
        SELECT notification_id, seq, channel, kind, severity, status, created_at, message_id, attempts, next_attempt_at, delivered_at,
               dead_at, last_error
          FROM notifications
         WHERE event_id = @eventId
         ORDER BY seq, channel
         LIMIT 1000
        """;

    /// <summary>The first thousand notifications of one event, in the order of its changes.</summary>
    public async Task<IReadOnlyList<Notification>> ListOfEventAsync(Guid eventId, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await _unreadable.ReadAsync<Notification, Guid>(
            connection, "notifications", new(ListOfEventSql, new { eventId }, cancellationToken: cancellationToken), 0,
            cancellationToken)).Rows;
    }
}
