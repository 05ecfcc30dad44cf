using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Data.Events;

/// <summary>
/// The lasting record of a finding. Times are those of the checks that saw it. <paramref name="Title"/> is that of the worst so far,
/// at <paramref name="WorstAt"/>; <paramref name="Description"/> and <paramref name="Indicators"/>, a JSON object of the newest values,
/// are of <paramref name="LastSeenAt"/>; <paramref name="CleanChecks"/> counts the successful checks in a row that judged the
/// rule and did not find it, the newest of them at <paramref name="JudgedAt"/>. <paramref name="Subject"/> is the text
/// of the subject, whose parts are <paramref name="SubjectKind"/>, <paramref name="Network"/>,
/// <paramref name="Account"/> and <paramref name="SubjectId"/>; events from before they were kept have none.
/// <paramref name="Labels"/> is a JSON object of texts.
/// <paramref name="Covers"/> are the subjects of other rules' events that this one speaks for while it is open;
/// <paramref name="InhibitedBy"/> is the event that speaks for this one, or did until its end. <paramref name="NotifiedAt"/> is when people
/// were last to hear of it, where that was not at the opening; <paramref name="AskedAfter"/> up to how many seconds of waiting routes were
/// asked already.
/// <paramref name="EarlierOpenings"/> are the openings of the same fingerprint within the hour before its own.
/// <paramref name="Measure"/> names the value of its evidence that says how bad it is, in <paramref name="Unit"/>:
/// <paramref name="CurrentValue"/> at <paramref name="LastSeenAt"/>, <paramref name="WorstValue"/> at <paramref name="WorstAt"/>,
/// <paramref name="ThresholdValue"/> of the severity reached. <paramref name="ToldMeasure"/> is the worst that people heard of, and
/// <paramref name="WorsenedAt"/> when they last heard that it grew worse. <paramref name="SituationId"/> is the situation that it is
/// part of. Events from before these were kept have none.
/// </summary>
public sealed record SecurityEvent(
    Guid EventId, string Fingerprint, string Monitor, string RuleId, int RuleVersion, string ThreatType,
    Severity Severity, EventStatus Status, string Subject, string Title, string Description, string Indicators,
    string[] RelatedAddresses, decimal? EstimatedLossUsd, long Occurrences, int CleanChecks, DateTimeOffset FirstSeenAt,
    DateTimeOffset LastSeenAt, DateTimeOffset JudgedAt, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy,
    DateTimeOffset? ResolvedAt, string? Resolution, string? SubjectKind = null, string? Network = null,
    string? Account = null, string? SubjectId = null, string? TransactionHash = null, string Labels = "{}",
    string[]? Covers = null, Guid? InhibitedBy = null, DateTimeOffset? NotifiedAt = null, int AskedAfter = 0,
    DateTimeOffset[]? EarlierOpenings = null, decimal? ToldMeasure = null, DateTimeOffset? WorsenedAt = null, string? Measure = null,
    string? Unit = null, decimal? CurrentValue = null, decimal? WorstValue = null, DateTimeOffset? WorstAt = null,
    decimal? ThresholdValue = null, Guid? SituationId = null);

/// <summary>Where a page of events goes on: after this event in the list's order.</summary>
public sealed record EventCursor(bool Resolved, DateTimeOffset FirstSeenAt, Guid EventId);

/// <summary>How many events have this severity.</summary>
public sealed record SeverityCount(Severity Severity, long Count);

/// <summary>The table <c>security_events</c>.</summary>
public sealed class SecurityEvents(DatabaseConnections db, UnreadableRows? unreadable = null)
{
    /// <summary>Its name.</summary>
    internal const string Table = "security_events";

    private readonly UnreadableRows _unreadable = unreadable ?? new UnreadableRows();

    /// <summary>
    /// The columns of <see cref="SecurityEvent"/>, in its order. What people wrote is cut: an older version let them write megabytes.
    /// </summary>
    internal const string Columns = """
        event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject, title, description,
        indicators::text AS indicators, related_addresses, estimated_loss_usd, occurrences, clean_checks, first_seen_at, last_seen_at,
        judged_at, acknowledged_at, left(acknowledged_by, 100) AS acknowledged_by, resolved_at, left(resolution, 2000) AS resolution,
        subject_kind, network, account, subject_id, transaction_hash, labels::text AS labels,
        covers, inhibited_by, notified_at, asked_after, earlier_openings, told_measure, worsened_at, measure, unit, current_value,
        worst_value, worst_at, threshold_value, situation_id
        """;

    private const string ListSql = $"""
        SELECT {Columns}
          FROM security_events
         WHERE (@status::text IS NULL OR status = @status)
           AND (@severity::text IS NULL OR severity = @severity)
           AND event_id <> ALL (@leftOut)
           AND (@afterEventId::uuid IS NULL
                OR ((status <> 'resolved'), first_seen_at, event_id) < (NOT @afterResolved, @afterFirstSeenAt, @afterEventId))
         ORDER BY (status <> 'resolved') DESC, first_seen_at DESC, event_id DESC
         LIMIT @limit
        """;

    /// <summary>
    /// Events that are not resolved first, then newest first; at most <paramref name="limit"/>, going on after
    /// <paramref name="after"/>.
    /// </summary>
    public async Task<IReadOnlyList<SecurityEvent>> ListAsync(
        EventStatus? status, Severity? severity, EventCursor? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await _unreadable.ListAsync<SecurityEvent, Guid>(connection, Table, leftOut => new(ListSql, new
        {
            status,
            severity,
            afterResolved = after?.Resolved ?? false,
            afterFirstSeenAt = after?.FirstSeenAt,
            afterEventId = after?.EventId,
            limit,
            leftOut,
        }, cancellationToken: cancellationToken), cancellationToken);
    }

    // When an event was last seen stands in no index, so that seeing it again is cheap. What began in the window was seen in it, and
    // comes first; what began before it is still open, or ended after the window's beginning.
    private const string ListSinceSql = $"""
        WITH long_lived AS (
            SELECT event_id
              FROM security_events
             WHERE status <> 'resolved' AND first_seen_at < @since AND last_seen_at >= @since
             UNION ALL
            SELECT event_id
              FROM security_events
             WHERE status = 'resolved' AND resolved_at >= @since AND first_seen_at < @since AND last_seen_at >= @since)
        (SELECT {Columns}
           FROM security_events
          WHERE first_seen_at >= @since
            AND first_seen_at < {ListEnd.Moment}
            AND event_id <> ALL (@leftOut)
            AND (@severity::text IS NULL OR severity = @severity)
            AND (@threatType::text IS NULL OR threat_type = @threatType)
            AND (@afterEventId::uuid IS NULL OR (first_seen_at, event_id) < (@afterFirstSeenAt, @afterEventId))
          ORDER BY first_seen_at DESC, event_id DESC
          LIMIT @limit)
        UNION ALL
        (SELECT {Columns}
           FROM security_events
          WHERE event_id = ANY (ARRAY(SELECT event_id FROM long_lived))
            AND first_seen_at < {ListEnd.Moment}
            AND event_id <> ALL (@leftOut)
            AND (@severity::text IS NULL OR severity = @severity)
            AND (@threatType::text IS NULL OR threat_type = @threatType)
            AND (@afterEventId::uuid IS NULL OR (first_seen_at, event_id) < (@afterFirstSeenAt, @afterEventId))
          ORDER BY first_seen_at DESC, event_id DESC
          LIMIT @limit)
         ORDER BY first_seen_at DESC, event_id DESC
         LIMIT @limit
        """;

    /// <summary>Events seen at any time in [since, end), newest first.</summary>
    public async Task<IReadOnlyList<SecurityEvent>> ListSinceAsync(
        DateTimeOffset since, ListEnd end, Severity? severity, string? threatType, EventCursor? after,
        int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await _unreadable.ListAsync<SecurityEvent, Guid>(connection, Table, leftOut => new(ListSinceSql, new
        {
            since,
            until = end.Until,
            newest = end.Newest,
            severity,
            threatType,
            afterFirstSeenAt = after?.FirstSeenAt,
            afterEventId = after?.EventId,
            limit,
            leftOut,
        }, cancellationToken: cancellationToken), cancellationToken);
    }

    private const string FindSql = $"""
        SELECT {Columns}
          FROM security_events
         WHERE event_id = @eventId
        """;

    /// <summary>One event, or null.</summary>
    /// <exception cref="UnreadableRowException">It is there and cannot be read.</exception>
    public async Task<SecurityEvent?> FindAsync(Guid eventId, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await UnreadableRows.FindAsync<SecurityEvent>(
            connection, Table, eventId, new(FindSql, new { eventId }, cancellationToken: cancellationToken));
    }

    private const string ListByIdSql = $"""
        SELECT {Columns}
          FROM security_events
         WHERE event_id = ANY (@eventIds)
         ORDER BY event_id
         LIMIT 10000
        """;

    /// <summary>These events, as far as they are kept, as they are now.</summary>
    public async Task<IReadOnlyList<SecurityEvent>> ListByIdAsync(Guid[] eventIds, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await _unreadable.ReadAsync<SecurityEvent, Guid>(
            connection, Table, new(ListByIdSql, new { eventIds }, cancellationToken: cancellationToken), 0, cancellationToken)).Rows;
    }

    private const string ListKnownSql = $"""
        (SELECT {Columns}
           FROM security_events
          WHERE status <> 'resolved'
            AND event_id <> ALL (@leftOut)
          ORDER BY (covers IS NOT NULL) DESC, (severity = 'critical') DESC, first_seen_at DESC, event_id DESC
          LIMIT @limit)
        UNION ALL
        (SELECT {Columns}
           FROM security_events
          WHERE status = 'resolved' AND resolved_at >= @since
            AND event_id <> ALL (@leftOut)
          ORDER BY resolved_at DESC, event_id DESC
          LIMIT @limit)
        """;

    /// <summary>
    /// The newest event of each fingerprint that is open or was resolved since a moment. At most so many of either: of the open ones those
    /// that speak for others first, then those of severity critical, then the newest.
    /// </summary>
    public async Task<IReadOnlyList<SecurityEvent>> ListKnownAsync(DateTimeOffset since, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return [.. (await _unreadable.ListAsync<SecurityEvent, Guid>(connection, Table,
                leftOut => new(ListKnownSql, new { since, limit, leftOut }, cancellationToken: cancellationToken), cancellationToken))
            .OrderBy(e => e.Status == EventStatus.Resolved).ThenByDescending(e => e.FirstSeenAt).DistinctBy(e => e.Fingerprint)];
    }

    private const string CountOpenSql = """
        SELECT severity, count(*) AS count
          FROM security_events
         WHERE status <> 'resolved'
         GROUP BY severity
         ORDER BY severity
         LIMIT 5
        """;

    /// <summary>Events that are not resolved, by severity; severities without any are absent.</summary>
    public static BatchRows<SeverityCount> CountOpen(DatabaseBatch batch) => batch.Add<SeverityCount>(CountOpenSql);

    private const string CountSinceSql = """
        SELECT severity, count(*) AS count
          FROM (SELECT severity
                  FROM security_events
                 WHERE status <> 'resolved' AND last_seen_at >= @since
                 UNION ALL
                SELECT severity
                  FROM security_events
                 WHERE status = 'resolved' AND resolved_at >= @since AND last_seen_at >= @since) AS seen
         GROUP BY severity
         ORDER BY severity
         LIMIT 5
        """;

    /// <summary>Events seen since a moment, by severity; severities without any are absent.</summary>
    public static BatchRows<SeverityCount> CountSince(DatabaseBatch batch, DateTimeOffset since) =>
        batch.Add<SeverityCount>(CountSinceSql, ("since", since));

    private const string FindOldestSeenSql = """
        SELECT min(last_seen_at) AS at
          FROM security_events
         WHERE last_seen_at >= @since
        """;

    /// <summary>Of the events seen since a moment, when the one seen longest ago was: the first to leave such a window.</summary>
    public static BatchRows<Edge> FindOldestSeen(DatabaseBatch batch, DateTimeOffset since) =>
        batch.Add<Edge>(FindOldestSeenSql, ("since", since));
}
