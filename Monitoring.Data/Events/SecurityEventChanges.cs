using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;

namespace Monitoring.Data.Events;

/// <summary>
/// One change of an event. <paramref name="ChangedAt"/> is when it was recorded, <paramref name="ScheduledAt"/> the check that caused it;
/// <paramref name="Evidence"/> is the finding's evidence at that moment, as a JSON object.
/// </summary>
public sealed record SecurityEventChange(
    long Seq, Guid EventId, DateTimeOffset ChangedAt, DateTimeOffset? ScheduledAt, ChangeKind Kind, Severity Severity,
    string Actor, string? Note, string? Evidence);

/// <summary>The newest change: its number, and what tells it from another of that number; null where it is no longer kept.</summary>
public sealed record NewestChange(long Seq, Guid? EventId, DateTimeOffset? ChangedAt);

/// <summary>The table <c>security_event_changes</c>: append only, numbered in commit order without holes.</summary>
public sealed class SecurityEventChanges(DatabaseConnections db, UnreadableRows? unreadable = null)
{
    private const string Table = "security_event_changes";

    private readonly UnreadableRows _unreadable = unreadable ?? new UnreadableRows();

    /// <summary>The channel on which the database says that there is a new change.</summary>
    public const string Channel = "security_event_changes";

    // Takes the counter's lock once and numbers all in the order given. Single rows that operators' functions insert are numbered by a
    // trigger.
    private const string AppendSql = """
        WITH counter AS (
            UPDATE security_event_change_counter
               SET last_seq = last_seq + cardinality(@eventIds)
            RETURNING last_seq - cardinality(@eventIds) AS before)
        INSERT INTO security_event_changes (seq, event_id, changed_at, scheduled_at, kind, severity, actor, note, evidence)
        SELECT counter.before + place, event_id, changed_at, scheduled_at, kind, severity, actor, note, evidence::jsonb
          FROM counter
         CROSS JOIN unnest(@eventIds, @changedTimes, @scheduledTimes, @kinds, @severities, @actors, @notes, @evidences) WITH ORDINALITY
                    AS row (event_id, changed_at, scheduled_at, kind, severity, actor, note, evidence, place)
         ORDER BY place
        RETURNING seq
        """;

    /// <summary>
    /// Appends changes; the result answers them with their numbers, which follow their order: <see cref="SecurityEventChange.Seq"/> is
    /// ignored. Numbering locks out other writers of changes until the transaction ends, so this comes last in it.
    /// </summary>
    public static Func<IReadOnlyList<SecurityEventChange>> Append(DatabaseBatch batch, IReadOnlyList<SecurityEventChange> changes)
    {
        if (changes.Count == 0)
            return () => changes;
        var numbers = batch.Add<long>(AppendSql,
            ("eventIds", changes.Select(change => change.EventId).ToArray()),
            ("changedTimes", changes.Select(change => change.ChangedAt.UtcDateTime).ToArray()),
            ("scheduledTimes", changes.Select(change => change.ScheduledAt).ToArray()),
            ("kinds", changes.Select(change => SnakeCase.Of(change.Kind)).ToArray()),
            ("severities", changes.Select(change => SnakeCase.Of(change.Severity)).ToArray()),
            ("actors", changes.Select(change => change.Actor).ToArray()),
            ("notes", changes.Select(change => change.Note!).ToArray()),
            ("evidences", changes.Select(change => change.Evidence!).ToArray()));
        return () =>
        {
            var first = numbers.Rows.Min();
            return [.. changes.Select((change, place) => change with { Seq = first + place })];
        };
    }

    private const string ListSql = """
        SELECT seq, event_id, changed_at, scheduled_at, kind, severity, left(actor, 100) AS actor, left(note, 2000) AS note,
               evidence::text AS evidence
          FROM security_event_changes
         WHERE event_id = @eventId
         ORDER BY seq
         LIMIT 1000
        """;

    /// <summary>The first thousand changes of one event, in order.</summary>
    public async Task<IReadOnlyList<SecurityEventChange>> ListAsync(Guid eventId, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await _unreadable.ReadAsync<SecurityEventChange, long>(
            connection, Table, new(ListSql, new { eventId }, cancellationToken: cancellationToken), 0, cancellationToken)).Rows;
    }

    private const string FindNewestSql = """
        SELECT counter.last_seq AS seq, newest.event_id, CASE WHEN isfinite(newest.changed_at) THEN newest.changed_at END AS changed_at
          FROM security_event_change_counter AS counter
          LEFT JOIN security_event_changes AS newest ON newest.seq = counter.last_seq
        """;

    /// <summary>The newest change, kept or not; number 0 without any.</summary>
    public async Task<NewestChange> FindNewestAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<NewestChange>(new(FindNewestSql, cancellationToken: cancellationToken));
    }

    private const string ListAfterSql = """
        SELECT seq, event_id, changed_at, scheduled_at, kind, severity, left(actor, 100) AS actor, left(note, 2000) AS note,
               NULL::text AS evidence
          FROM security_event_changes
         WHERE seq > @afterSeq
           AND seq <> ALL (@leftOutSeqs)
         ORDER BY seq
         LIMIT @limit
        """;

    /// <summary>
    /// The changes of all events that follow a number, in order, without their evidence. A number that is left out
    /// belongs to an event that is no longer kept: while they are kept there are no holes.
    /// </summary>
    public async Task<IReadOnlyList<SecurityEventChange>> ListAfterAsync(long afterSeq, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await _unreadable.ListAsync<SecurityEventChange, long>(connection, Table, leftOutSeqs => new(
            ListAfterSql, new { afterSeq, limit, leftOutSeqs }, cancellationToken: cancellationToken), cancellationToken);
    }
}
