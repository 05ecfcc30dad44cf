using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Npgsql;

namespace Monitoring.Data.Notifications;

/// <summary>
/// Where a notification is in its life. <see cref="Silenced"/>: withdrawn, because its event was acknowledged or resolved while its fingerprint was silenced
/// and before anything was sent.
/// </summary>
public enum NotificationStatus { Pending, Delivered, Dead, Silenced }

/// <summary>A message to one channel about one change that is to be written. With <paramref name="DeliveredAt"/> it was sent already, in the message <paramref name="MessageId"/>.</summary>
public sealed record NewNotification(
    Guid NotificationId, Guid EventId, long Seq, string Channel, ChangeKind Kind, Severity Severity, DateTimeOffset CreatedAt, DateTimeOffset? DeliveredAt, Guid? MessageId = null);

/// <summary>One notification of an event as the outbox holds it. <paramref name="MessageId"/> is the id that the receiver saw.</summary>
public sealed record Notification(
    Guid NotificationId, long Seq, string Channel, ChangeKind Kind, Severity Severity, NotificationStatus Status, DateTimeOffset CreatedAt, Guid? MessageId,
    int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset? DeliveredAt, DateTimeOffset? DeadAt, string? LastError);

/// <summary>
/// The table <c>notifications</c>: the outbox. Its rows are written in the transaction of the change that they tell of, in two ways. Who hears of an opening is
/// configuration, so the worker chooses and calls <see cref="AddAsync"/>; the same for channels that an escalation reaches first. Who hears how an event goes on
/// follows from who was told of it, so the trigger <c>notify_those_told</c> of <c>security_event_changes</c> adds those rows, whoever made the change.
/// </summary>
public sealed class NotificationTable(NpgsqlDataSource db)
{
    private const string AddSql = """
        INSERT INTO notifications (notification_id, event_id, seq, channel, kind, severity, created_at, status, message_id, attempts, delivered_at)
        SELECT notification_id, event_id, seq, channel, kind, severity, created_at,
               CASE WHEN is_sent THEN 'delivered' ELSE 'pending' END,
               message_id,
               CASE WHEN is_sent THEN 1 ELSE 0 END,
               CASE WHEN is_sent THEN sent_at END
          FROM unnest(@notificationIds, @eventIds, @seqs, @channels, @kinds, @severities, @times, @sent, @sentAts, @messageIds)
               AS t (notification_id, event_id, seq, channel, kind, severity, created_at, is_sent, sent_at, message_id)
            ON CONFLICT (seq, channel) DO UPDATE
           SET status = excluded.status, message_id = excluded.message_id, attempts = excluded.attempts, delivered_at = excluded.delivered_at
         WHERE excluded.delivered_at IS NOT NULL AND notifications.status = 'pending'
        """;

    /// <summary>Writes these in one round trip; a channel that has a row for the change already keeps it, unless this one was sent. Answers how many are new.</summary>
    public async Task<int> AddAsync(IReadOnlyList<NewNotification> rows, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        rows.Count == 0 ? 0 : await transaction.Connection!.ExecuteAsync(new(AddSql, new
        {
            notificationIds = rows.Select(row => row.NotificationId).ToArray(),
            eventIds = rows.Select(row => row.EventId).ToArray(),
            seqs = rows.Select(row => row.Seq).ToArray(),
            channels = rows.Select(row => row.Channel).ToArray(),
            kinds = rows.Select(row => SnakeCase.Of(row.Kind)).ToArray(),
            severities = rows.Select(row => SnakeCase.Of(row.Severity)).ToArray(),
            times = rows.Select(row => row.CreatedAt.UtcDateTime).ToArray(),
            sent = rows.Select(row => row.DeliveredAt is not null).ToArray(),
            sentAts = rows.Select(row => (row.DeliveredAt ?? row.CreatedAt).UtcDateTime).ToArray(), // an array that begins with null is no array of timestamptz
            messageIds = rows.Select(row => row.MessageId).ToArray(),
        }, transaction, cancellationToken: cancellationToken));

    private const string MarkSentSql = """
        UPDATE notifications
           SET status = 'delivered', message_id = @messageId, attempts = greatest(attempts, 1), delivered_at = @deliveredAt,
               next_attempt_at = NULL, claimed_by = NULL, last_error = NULL
         WHERE notification_id = ANY (@notificationIds) AND status = 'pending'
        """;

    /// <summary>Marks rows as sent in a message that went out beside the outbox. Those that are not stored, or no longer wait, stay as they are.</summary>
    public async Task MarkSentAsync(IReadOnlyCollection<Guid> notificationIds, Guid messageId, DateTimeOffset deliveredAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(MarkSentSql, new { notificationIds = notificationIds.ToArray(), messageId, deliveredAt }, cancellationToken: cancellationToken));
    }

    private const string ListOfEventSql = """
        SELECT notification_id, seq, channel, kind, severity, status, created_at, message_id, attempts, next_attempt_at, delivered_at, dead_at, last_error
          FROM notifications
         WHERE event_id = @eventId
         ORDER BY seq, channel
         LIMIT 1000
        """;

    /// <summary>The first thousand notifications of one event, in the order of its changes.</summary>
    public async Task<IReadOnlyList<Notification>> ListOfEventAsync(Guid eventId, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<Notification>(new(ListOfEventSql, new { eventId }, cancellationToken: cancellationToken))).AsList();
    }
}
