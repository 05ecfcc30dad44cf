using Dapper;
using Monitoring.Data.Database;
using Monitoring.Data.Events;

namespace Monitoring.Data.Notifications;

/// <summary>
/// How a worker claims. What nobody renews until <paramref name="LeaseUntil"/> is anybody's again. What is gathered waits no longer than
/// <paramref name="Window"/>, where it is critical no longer than <paramref name="UrgentWindow"/>, and not at all for the rules of
/// <paramref name="NeverHeld"/>; with a window of zero each notification is a message of its own. No wait ends after
/// <paramref name="Latest"/>: one that seems to was written before the clock was set back, and does not count.
/// </summary>
public sealed record ClaimTerms(
    string Worker, DateTimeOffset Now, DateTimeOffset LeaseUntil, DateTimeOffset Latest, TimeSpan Window, TimeSpan UrgentWindow,
    IReadOnlyList<string> NeverHeld);

/// <summary>
/// A claimed notification, with what its message says of its event. Rows of one <paramref name="MessageId"/> go as one message.
/// </summary>
public sealed record ClaimedNotification(
    Guid MessageId, int Attempts, DateTimeOffset? GiveUpAt, Guid EventId, ChangeKind Kind, Severity Severity, string RuleId,
    string ThreatType, string Subject, string Title, string Description, DateTimeOffset FirstSeenAt, DateTimeOffset ChangedAt,
    string Indicators, string[] RelatedAddresses, string? Note);

/// <summary>
/// Takes notifications out of the outbox, one worker per channel at a time, and marks what became of them. Order per event and channel: a
/// notification is only claimed when the earlier ones of its event are delivered, dead, or in the same message.
/// </summary>
public sealed class NotificationClaims(DatabaseConnections db, UnreadableRows? unreadable = null)
{
    private readonly UnreadableRows _unreadable = unreadable ?? new UnreadableRows();

    private sealed record Gate(bool Paused, long Recent);

    // Planning the claim of new ones anew each time would take several times as long as running it.
    private const string KeepPlans = "SET LOCAL plan_cache_mode = force_generic_plan";

    private const string LockGateSql = """
        SELECT coalesce(paused_until > @now AND paused_until <= @latest, false) AS paused,
               (SELECT count(*) FROM unnest(recent_messages) AS at
                 WHERE at > @now - interval '1 minute' AND at <= @now + interval '1 minute') AS recent
          FROM notification_channels
         WHERE channel = @channel
           AND EXISTS (SELECT FROM notifications
                        WHERE notifications.channel = @channel AND status = 'pending'
                          AND (next_attempt_at IS NULL OR next_attempt_at <= @now OR next_attempt_at > @latest))
           FOR UPDATE SKIP LOCKED
        """;

    private const string ClaimRepeatsSql = """
        UPDATE notifications
           SET attempts = attempts + 1, next_attempt_at = @leaseUntil, claimed_by = @worker
         WHERE status = 'pending'
           AND message_id = ANY (ARRAY(
                   SELECT message_id
                     FROM notifications
                    WHERE channel = @channel AND status = 'pending' AND message_id IS NOT NULL
                      AND message_id <> ALL (@messageIds) AND notification_id <> ALL (@claimedOffline)
                      AND (next_attempt_at IS NULL OR next_attempt_at <= @now OR next_attempt_at > @latest)
                    GROUP BY message_id
                    ORDER BY min(seq)
                    LIMIT @limit))
        RETURNING message_id
        """;

    // A silence or an inhibition holds back what announces, not the end; and nothing that a later, waiting row would make come out of
    // order. A row that seems to be written in the future was written before the clock was set back, and waits for nothing. The id of a
    // message stands for all that is in it: one notification goes under its own id, several under a new one.
    private const string ClaimNewSql = """
        WITH due AS (
            SELECT n.notification_id, n.created_at, e.rule_id = ANY (@neverHeld) AS never_held,
                   CASE WHEN n.severity = 'critical' AND announces(n.kind) THEN @urgentWindow ELSE @window END AS wait
              FROM notifications AS n
              JOIN security_events AS e USING (event_id)
             WHERE n.channel = @channel AND n.status = 'pending' AND n.message_id IS NULL AND n.notification_id <> ALL (@claimedOffline)
               AND NOT EXISTS (SELECT FROM notifications AS earlier
                                WHERE earlier.event_id = n.event_id AND earlier.channel = n.channel AND earlier.seq < n.seq
                                  AND earlier.status = 'pending'
                                  AND (@alone OR earlier.message_id IS NOT NULL OR earlier.notification_id = ANY (@claimedOffline)))
               AND NOT (announces(n.kind)
                        AND (EXISTS (SELECT FROM silences_in_force(@now) AS silence WHERE silence.fingerprint = e.fingerprint)
                             OR EXISTS (SELECT FROM inhibitions_in_force(@now) AS inhibition WHERE inhibition.event_id = n.event_id))
                        AND NOT EXISTS (SELECT FROM notifications AS later
                                         WHERE later.event_id = n.event_id AND later.channel = n.channel AND later.seq > n.seq
                                           AND later.status = 'pending'
                                           AND later.kind IN ('acknowledged', 'resolved', 'expired')))
             ORDER BY n.seq
             LIMIT @limit
               FOR UPDATE OF n SKIP LOCKED),
        leaving AS (
            SELECT notification_id
              FROM due
             WHERE @atOnce OR never_held
                OR EXISTS (SELECT FROM due AS longest
                            WHERE longest.created_at <= @now - longest.wait OR longest.created_at > @now + longest.wait)),
        gathered AS (
            SELECT gen_random_uuid() AS message_id WHERE (SELECT count(*) FROM leaving) > 1 AND NOT @alone)
        UPDATE notifications
           SET message_id = coalesce((SELECT message_id FROM gathered), leaving.notification_id),
               attempts = 1, next_attempt_at = @leaseUntil, claimed_by = @worker
          FROM leaving
         WHERE notifications.notification_id = leaving.notification_id
        RETURNING message_id
        """;

    private const string CountMessageSql = """
        UPDATE notification_channels
           SET recent_messages = (array_append(recent_messages, @now))[greatest(1, cardinality(recent_messages) + 2 - @most):]
         WHERE channel = @channel
        """;

    // Its first column is no part of the record.
    private const string ListClaimedSql = """
        SELECT notification_id, message_id, attempts, give_up_at, event_id, n.kind, n.severity, rule_id, threat_type, subject, title,
               description, first_seen_at, changed_at, coalesce(c.evidence -> 'values', e.indicators)::text AS indicators,
               related_addresses, left(note, 2000) AS note
          FROM notifications AS n
          JOIN security_events AS e USING (event_id)
          JOIN security_event_changes AS c USING (seq, event_id)
         WHERE message_id = ANY (@messageIds) AND n.status = 'pending'
         ORDER BY seq
         LIMIT 100000
        """;

    // Nobody could ever send it, and it would be claimed again and again.
    private const string MarkUnreadableSql = """
        UPDATE notifications
           SET status = 'dead', dead_at = @now, next_attempt_at = NULL, claimed_by = NULL,
               last_error = 'the row of its event or its change cannot be read'
         WHERE notification_id = ANY (@notificationIds)
        """;

    /// <summary>So many notifications go into one message at most.</summary>
    public const int MostPerMessage = 10_000;

    /// <summary>So many messages a minute leave at once; what comes after them is gathered.</summary>
    public const int AtOncePerMinute = 4;

    /// <summary>
    /// Claims what is due on a channel: at most <paramref name="most"/> messages, none of <paramref name="inFlight"/>, and no notification
    /// of <paramref name="claimedOffline"/>. What is due goes as one message: at once, while there were few in the last minute, else when
    /// one of them has waited long enough. Answers nothing while another worker is claiming for this channel.
    /// </summary>
    public async Task<IReadOnlyList<ClaimedNotification>> ClaimAsync(
        string channel, ClaimTerms terms, int most, IReadOnlyCollection<Guid> inFlight, IReadOnlyCollection<Guid> claimedOffline,
        CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        CommandDefinition Command(string sql, object parameters) => new(sql, parameters, transaction, cancellationToken: cancellationToken);

        var gate = await connection.QuerySingleOrDefaultAsync<Gate>(Command(
            $"{KeepPlans}; {LockGateSql}", new { channel, terms.Now, terms.Latest }));
        if (gate is null or { Paused: true })
            return [];

        var claimed = (await connection.QueryAsync<Guid>(Command(ClaimRepeatsSql, new
        {
            channel, terms.Worker, terms.Now, terms.Latest, terms.LeaseUntil, limit = most, messageIds = inFlight.ToArray(),
            claimedOffline = claimedOffline.ToArray(),
        }))).ToHashSet();
        if (claimed.Count < most)
        {
            var alone = terms.Window == TimeSpan.Zero;
            var fresh = (await connection.QueryAsync<Guid>(Command(ClaimNewSql, new
            {
                channel, terms.Worker, terms.Now, terms.LeaseUntil, terms.Window, terms.UrgentWindow, neverHeld = terms.NeverHeld.ToArray(),
                alone, atOnce = alone || gate.Recent < AtOncePerMinute, claimedOffline = claimedOffline.ToArray(),
                limit = alone ? most - claimed.Count : MostPerMessage,
            }))).AsList();
            claimed.UnionWith(fresh);
            if (fresh.Count > 0 && !alone)
                await connection.ExecuteAsync(Command(CountMessageSql, new { channel, terms.Now, most = AtOncePerMinute }));
        }

        var rows = new List<ClaimedNotification>();
        if (claimed.Count > 0)
        {
            (rows, var lost) = await _unreadable.ReadAsync<ClaimedNotification, Guid>(
                connection, "notifications", Command(ListClaimedSql, new { messageIds = claimed.ToArray() }), 1, cancellationToken);
            if (lost.Count > 0)
                await connection.ExecuteAsync(Command(MarkUnreadableSql, new { notificationIds = lost.ToArray(), terms.Now }));
        }

        await transaction.CommitAsync(cancellationToken);
        return rows;
    }

    private const string ListStoredSql = "SELECT notification_id FROM notifications WHERE notification_id = ANY (@notificationIds)";

    /// <summary>Those of these notifications that are stored, by whichever worker.</summary>
    public async Task<IReadOnlyList<Guid>> ListStoredAsync(
        IReadOnlyCollection<Guid> notificationIds, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<Guid>(
            new(ListStoredSql, new { notificationIds = notificationIds.ToArray() }, cancellationToken: cancellationToken))).AsList();
    }

    private const string RenewSql = """
        UPDATE notifications
           SET next_attempt_at = @leaseUntil
         WHERE message_id = ANY (@messageIds) AND status = 'pending' AND claimed_by = @worker
        """;

    /// <summary>Keeps claims while their attempts go on.</summary>
    public async Task RenewAsync(
        IReadOnlyCollection<Guid> messageIds, string worker, DateTimeOffset leaseUntil, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            new(RenewSql, new { messageIds = messageIds.ToArray(), worker, leaseUntil }, cancellationToken: cancellationToken));
    }

    // The service works again: what waits for its next attempt need not wait for the end of a backoff of minutes.
    private const string MarkDeliveredSql = """
        WITH marked AS (
            UPDATE notifications
               SET status = 'delivered', delivered_at = @now, next_attempt_at = NULL, claimed_by = NULL, last_error = NULL
             WHERE message_id = @messageId AND status = 'pending'),
        hastened AS (
            UPDATE notifications
               SET next_attempt_at = @now + random() * (@soon - @now)
             WHERE channel = @channel AND status = 'pending' AND message_id <> @messageId AND claimed_by IS NULL AND next_attempt_at > @soon
               AND EXISTS (SELECT FROM notification_channels
                            WHERE channel = @channel AND last_failed_at >= coalesce(last_delivered_at, '-infinity')))
        UPDATE notification_channels
           SET last_delivered_at = @now
         WHERE channel = @channel
        """;

    /// <summary>
    /// Marks a message as delivered. If the last attempt on the channel had failed, the messages that wait after a failure are due at
    /// <paramref name="soon"/> at the latest.
    /// </summary>
    public async Task MarkDeliveredAsync(
        string channel, Guid messageId, DateTimeOffset now, DateTimeOffset soon, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(MarkDeliveredSql, new { channel, messageId, now, soon }, cancellationToken: cancellationToken));
    }

    private const string MarkForRetrySql = """
        WITH marked AS (
            UPDATE notifications
               SET next_attempt_at = @retryAt, give_up_at = @giveUpAt, claimed_by = NULL, last_error = @error
             WHERE message_id = @messageId AND status = 'pending' AND claimed_by = @worker)
        UPDATE notification_channels
           SET last_failed_at = @now, last_error = @error, paused_until = coalesce(@pausedUntil, paused_until)
         WHERE channel = @channel
        """;

    /// <summary>
    /// Lets a message be tried again at <paramref name="retryAt"/>, and nothing go through the channel before
    /// <paramref name="pausedUntil"/>.
    /// </summary>
    public async Task MarkForRetryAsync(
        string channel, Guid messageId, string worker, DateTimeOffset now, DateTimeOffset retryAt, DateTimeOffset? pausedUntil,
        DateTimeOffset giveUpAt, string error, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        var parameters = new { channel, messageId, worker, now, retryAt, pausedUntil, giveUpAt, error };
        await connection.ExecuteAsync(new(MarkForRetrySql, parameters, cancellationToken: cancellationToken));
    }

    private const string MarkDeadSql = """
        WITH marked AS (
            UPDATE notifications
               SET status = 'dead', dead_at = @now, next_attempt_at = NULL, claimed_by = NULL, last_error = @error
             WHERE message_id = @messageId AND status = 'pending')
        UPDATE notification_channels
           SET last_failed_at = @now, last_error = @error
         WHERE channel = @channel
        """;

    /// <summary>Lists a message among the dead letters.</summary>
    public async Task MarkDeadAsync(string channel, Guid messageId, DateTimeOffset now, string error, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(MarkDeadSql, new { channel, messageId, now, error }, cancellationToken: cancellationToken));
    }

    private const string ReleaseSql = """
        UPDATE notifications
           SET next_attempt_at = NULL, claimed_by = NULL
         WHERE message_id = @messageId AND status = 'pending' AND claimed_by = @worker
        """;

    /// <summary>Gives a message back at once, because this worker stops.</summary>
    public async Task ReleaseAsync(Guid messageId, string worker, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(ReleaseSql, new { messageId, worker }, cancellationToken: cancellationToken));
    }
}
