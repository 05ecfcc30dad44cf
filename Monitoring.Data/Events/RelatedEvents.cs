using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Events;

/// <summary>People were last to hear of open events of this severity before a moment: they are due to be reminded.</summary>
public sealed record ReminderDue(Severity Severity, DateTimeOffset NotifiedBefore);

/// <summary>
/// What a check reads and changes of events of other monitors, within its transaction: those that speak for others, those that they speak
/// for, and those of which people are to be reminded.
/// </summary>
public static class RelatedEvents
{
    // Any number, as long as nothing else in this database takes it.
    private const string LockSql = """
        SELECT pg_advisory_xact_lock(7026112913)
        """;

    /// <summary>
    /// Lets one transaction at a time decide about events of several monitors, so that none misses what another has just opened. To be
    /// asked for before any row is locked.
    /// </summary>
    public static Task LockAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection!.ExecuteAsync(new(LockSql, transaction: transaction, cancellationToken: cancellationToken));

    private const string ListInhibitionSql = $"""
        SELECT {SecurityEvents.Columns}
          FROM security_events
         WHERE event_id = ANY (ARRAY(
                   SELECT event_id FROM security_events WHERE covers IS NOT NULL AND status <> 'resolved'
                    UNION
                   SELECT event_id FROM security_events WHERE fingerprint = ANY (@fingerprints) AND status <> 'resolved'
                    UNION
                   SELECT inhibited.event_id
                     FROM security_events AS speaker
                     JOIN security_events AS inhibited ON inhibited.inhibited_by = speaker.event_id
                    WHERE speaker.covers IS NOT NULL AND speaker.status <> 'resolved' AND inhibited.status <> 'resolved'))
         ORDER BY event_id
         LIMIT 100000
        """;

    /// <summary>
    /// The open events that speak for others, those that they inhibit, and those of these <paramref name="fingerprints"/>.
    /// </summary>
    public static Task<IReadOnlyList<SecurityEvent>> ListInhibitionAsync(
        string[] fingerprints, UnreadableRows unreadable, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        ListAsync(ListInhibitionSql, new { fingerprints }, unreadable, transaction, cancellationToken);

    private const string LockDueSql = $"""
        SELECT {SecurityEvents.Columns}
          FROM security_events
         WHERE event_id = ANY (ARRAY(
                   SELECT event_id
                     FROM unnest(@severities, @times) AS due (of_severity, notified_before)
                     JOIN security_events ON severity = of_severity AND coalesce(notified_at, first_seen_at) <= notified_before
                    WHERE status = 'open'
                    UNION
                   SELECT event_id
                     FROM security_events
                    WHERE status = 'open' AND first_seen_at <= @before AND asked_after < @longestAfter))
         ORDER BY event_id
         LIMIT 10000
           FOR UPDATE SKIP LOCKED
        """;

    /// <summary>
    /// Locks and reads the open events that nobody has acknowledged and of which people are to be reminded, or that were opened before a
    /// moment while not all routes were asked that wait for no longer than <paramref name="longestAfter"/> seconds. One that a check writes
    /// just now is left to the next time: waiting for it could end in a deadlock.
    /// </summary>
    public static Task<IReadOnlyList<SecurityEvent>> LockDueAsync(
        IReadOnlyList<ReminderDue> due, DateTimeOffset before, int longestAfter, UnreadableRows unreadable, NpgsqlTransaction transaction,
        CancellationToken cancellationToken) =>
        ListAsync(LockDueSql, new
        {
            severities = due.Select(one => SnakeCase.Of(one.Severity)).ToArray(),
            times = due.Select(one => one.NotifiedBefore.UtcDateTime).ToArray(), before, longestAfter,
        }, unreadable, transaction, cancellationToken);

    private const string ListHeldSql = """
        SELECT event_id
          FROM security_events AS e
         WHERE event_id = ANY (@eventIds)
           AND (EXISTS (SELECT FROM silences_in_force(@now) AS silence WHERE silence.fingerprint = e.fingerprint)
                OR EXISTS (SELECT FROM inhibitions_in_force(@now) AS inhibition WHERE inhibition.event_id = e.event_id))
         ORDER BY event_id
         LIMIT 10000
        """;

    /// <summary>Which of these events are silenced or inhibited.</summary>
    public static async Task<IReadOnlySet<Guid>> ListHeldAsync(
        Guid[] eventIds, DateTimeOffset now, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        (await transaction.Connection!.QueryAsync<Guid>(
            new(ListHeldSql, new { eventIds, now }, transaction, cancellationToken: cancellationToken))).ToHashSet();

    private const string InhibitSql = """
        UPDATE security_events AS kept
           SET inhibited_by = changed.inhibited_by
          FROM unnest(@eventIds, @inhibitors) AS changed (event_id, inhibited_by)
         WHERE kept.event_id = changed.event_id
        """;

    /// <summary>Stores of these events what inhibits them.</summary>
    public static void Inhibit(DatabaseBatch batch, IReadOnlyList<SecurityEvent> events)
    {
        if (events.Count > 0)
            batch.Add(InhibitSql,
                ("eventIds", events.Select(e => e.EventId).ToArray()),
                ("inhibitors", events.Select(e => e.InhibitedBy).ToArray()));
    }

    private const string RemindSql = """
        UPDATE security_events AS kept
           SET notified_at = changed.notified_at, asked_after = changed.asked_after, told_measure = changed.told_measure
          FROM unnest(@eventIds, @notifiedTimes, @askedAfters, @toldMeasures) AS changed (event_id, notified_at, asked_after, told_measure)
         WHERE kept.event_id = changed.event_id
        """;

    /// <summary>Stores of these events when people were last to hear of them and how bad they were, and which routes were asked.</summary>
    public static void Remind(DatabaseBatch batch, IReadOnlyList<SecurityEvent> events)
    {
        if (events.Count > 0)
            batch.Add(RemindSql,
                ("eventIds", events.Select(e => e.EventId).ToArray()),
                ("notifiedTimes", events.Select(e => e.NotifiedAt).ToArray()),
                ("askedAfters", events.Select(e => e.AskedAfter).ToArray()),
                ("toldMeasures", events.Select(e => e.ToldMeasure).ToArray()));
    }

    private static async Task<IReadOnlyList<SecurityEvent>> ListAsync(
        string sql, object parameters, UnreadableRows unreadable, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        (await unreadable.ReadAsync<SecurityEvent, Guid>(transaction.Connection!, SecurityEvents.Table,
            new(sql, parameters, transaction, cancellationToken: cancellationToken), 0, cancellationToken)).Rows;
}
