using System.Text.Json;
using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Events;

/// <summary>
/// What a check does to the table <c>security_events</c>, within its transaction: one round trip for all events, however many. What every
/// check changes stands in no index, so that it costs no more than the row.
/// </summary>
public static class SecurityEventUpdates
{
    private const string LockOpenSql = $"""
        SELECT {SecurityEvents.Columns}
          FROM security_events
         WHERE monitor = @monitor AND status <> 'resolved'
           FOR UPDATE
        """;

    private const string LockLatestSql = $"""
        SELECT {SecurityEvents.Columns}
          FROM security_events
         WHERE event_id = ANY (ARRAY(
                   SELECT latest.event_id
                     FROM unnest(@fingerprints) AS wanted
                    CROSS JOIN LATERAL (SELECT event_id FROM security_events
                                         WHERE fingerprint = wanted
                                         ORDER BY first_seen_at DESC, event_id DESC LIMIT 1) AS latest))
         ORDER BY event_id
           FOR UPDATE
        """;

    private const string CloseUnreadableSql = """
        WITH closed AS (
            UPDATE security_events
               SET status = 'resolved', resolved_at = clock_timestamp(), resolution = @note
             WHERE event_id = ANY (@eventIds) AND status <> 'resolved'
            RETURNING event_id, severity)
        INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor, note)
        SELECT event_id, clock_timestamp(), 'resolved', severity, 'worker', @note
          FROM closed
         ORDER BY event_id
        """;

    // Reading an event twice costs less than a round trip.
    private const int FewFindings = 100;

    private const string Unreadable = "its row cannot be read; what is found from now on is an event of its own";

    /// <summary>
    /// Locks and reads what a check of this monitor may change: its open events, and the latest event of each other fingerprint found. An
    /// open event that cannot be read would keep its finding from ever being told: it is closed with that word, so that another opens.
    /// </summary>
    public static async Task<IReadOnlyList<SecurityEvent>> LockRelevantAsync(
        string monitor, IEnumerable<string> fingerprints, UnreadableRows unreadable, NpgsqlTransaction transaction,
        CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        var found = fingerprints.ToArray();
        if (found.Length is > 0 and <= FewFindings)
        {
            var (few, gone) = await ReadAsync($"{LockOpenSql}; {LockLatestSql}", new { monitor, fingerprints = found });
            await CloseAsync(gone);
            return [.. few.DistinctBy(e => e.EventId)];
        }

        var (open, lost) = await ReadAsync(LockOpenSql, new { monitor });
        await CloseAsync(lost);
        var others = found.Except(open.Select(e => e.Fingerprint)).ToArray();
        return others.Length == 0 ? open : [.. open, .. (await ReadAsync(LockLatestSql, new { fingerprints = others })).Rows];

        Task<(List<SecurityEvent> Rows, List<Guid> Unreadable)> ReadAsync(string sql, object parameters) =>
            unreadable.ReadAsync<SecurityEvent, Guid>(
                connection, SecurityEvents.Table, new(sql, parameters, transaction, cancellationToken: cancellationToken), 0,
                cancellationToken);

        Task CloseAsync(List<Guid> eventIds) => eventIds.Count == 0 ? Task.CompletedTask : connection.ExecuteAsync(
            new(CloseUnreadableSql, new { eventIds = eventIds.ToArray(), note = Unreadable }, transaction,
                cancellationToken: cancellationToken));
    }

    private const string MoveSql = """
        UPDATE security_events AS kept
           SET occurrences = moved.occurrences, clean_checks = moved.clean_checks, first_seen_at = moved.first_seen_at,
               last_seen_at = moved.last_seen_at, judged_at = moved.judged_at, indicators = moved.indicators::jsonb,
               estimated_loss_usd = moved.estimated_loss_usd, title = coalesce(moved.title, kept.title),
               description = moved.description, current_value = moved.current_value, worst_value = moved.worst_value,
               worst_at = moved.worst_at, threshold_value = moved.threshold_value
          FROM unnest(@eventIds, @occurrences, @cleanChecks, @firstTimes, @lastTimes, @judgedTimes, @indicators, @losses, @titles,
                      @descriptions, @currentValues, @worstValues, @worstTimes, @thresholdValues)
               AS moved (event_id, occurrences, clean_checks, first_seen_at, last_seen_at, judged_at, indicators, estimated_loss_usd,
                         title, description, current_value, worst_value, worst_at, threshold_value)
         WHERE kept.event_id = moved.event_id
        """;

    /// <summary>
    /// Stores of these events what every check moves: counts, times, what is so now, and loss; of one that is now at its worst also that.
    /// </summary>
    public static void Move(DatabaseBatch batch, IReadOnlyList<SecurityEvent> events)
    {
        if (events.Count > 0)
            batch.Add(MoveSql,
                ("eventIds", events.Select(e => e.EventId).ToArray()),
                ("occurrences", events.Select(e => e.Occurrences).ToArray()),
                ("cleanChecks", events.Select(e => e.CleanChecks).ToArray()),
                ("firstTimes", events.Select(e => e.FirstSeenAt.UtcDateTime).ToArray()),
                ("lastTimes", events.Select(e => e.LastSeenAt.UtcDateTime).ToArray()),
                ("judgedTimes", events.Select(e => e.JudgedAt.UtcDateTime).ToArray()),
                ("indicators", events.Select(e => e.Indicators).ToArray()),
                ("losses", events.Select(e => e.EstimatedLossUsd).ToArray()),
                ("titles", events.Select(e => e.WorstAt == e.LastSeenAt ? e.Title : null!).ToArray()),
                ("descriptions", events.Select(e => e.Description).ToArray()),
                ("currentValues", events.Select(e => e.CurrentValue).ToArray()),
                ("worstValues", events.Select(e => e.WorstValue).ToArray()),
                ("worstTimes", events.Select(e => e.WorstAt).ToArray()),
                ("thresholdValues", events.Select(e => e.ThresholdValue).ToArray()));
    }

    // Addresses travel as one JSON text, because unnest would flatten an array of arrays.
    private const string UpsertSql = """
        INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject, title,
                                     description, indicators, related_addresses, estimated_loss_usd, occurrences, clean_checks,
                                     first_seen_at, last_seen_at, judged_at, resolved_at, resolution,
                                     subject_kind, network, account, subject_id, transaction_hash, labels,
                                     covers, notified_at, asked_after, earlier_openings, told_measure, worsened_at, measure, unit,
                                     current_value, worst_value, worst_at, threshold_value)
        SELECT event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject, title, description,
               indicators::jsonb,
               ARRAY(SELECT one FROM jsonb_array_elements_text(addresses::jsonb) WITH ORDINALITY AS each (one, place) ORDER BY place),
               estimated_loss_usd, occurrences, clean_checks, first_seen_at, last_seen_at, judged_at,
               resolved_at, resolution, subject_kind, network, account, subject_id, transaction_hash, labels::jsonb,
               CASE WHEN covers IS NOT NULL
                    THEN ARRAY(SELECT one FROM jsonb_array_elements_text(covers::jsonb) WITH ORDINALITY AS each (one, place) ORDER BY place)
               END,
               notified_at, asked_after,
               CASE WHEN openings IS NOT NULL
                    THEN ARRAY(SELECT one::timestamptz FROM jsonb_array_elements_text(openings::jsonb) AS each (one) ORDER BY one)
               END,
               told_measure, worsened_at, measure, unit, current_value, worst_value, worst_at, threshold_value
          FROM unnest(@eventIds, @fingerprints, @monitors, @ruleIds, @ruleVersions, @threatTypes, @severities, @statuses, @subjects,
                      @titles, @descriptions, @indicators, @addresses, @losses, @occurrences, @cleanChecks,
                      @firstTimes, @lastTimes, @judgedTimes, @resolvedTimes, @resolutions,
                      @subjectKinds, @networks, @accounts, @subjectIds, @transactionHashes, @labels,
                      @covers, @notifiedTimes, @askedAfters, @openings, @toldMeasures, @worsenedTimes, @measures, @units,
                      @currentValues, @worstValues, @worstTimes, @thresholdValues)
               AS row (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject, title, description,
                       indicators, addresses, estimated_loss_usd, occurrences, clean_checks, first_seen_at, last_seen_at, judged_at,
                       resolved_at, resolution, subject_kind, network, account, subject_id, transaction_hash, labels,
                       covers, notified_at, asked_after, openings, told_measure, worsened_at, measure, unit,
                       current_value, worst_value, worst_at, threshold_value)
        ON CONFLICT (event_id) DO UPDATE
           SET rule_version = excluded.rule_version, threat_type = excluded.threat_type, severity = excluded.severity,
               status = excluded.status, title = excluded.title, description = excluded.description, indicators = excluded.indicators,
               related_addresses = excluded.related_addresses, estimated_loss_usd = excluded.estimated_loss_usd,
               occurrences = excluded.occurrences, clean_checks = excluded.clean_checks, first_seen_at = excluded.first_seen_at,
               last_seen_at = excluded.last_seen_at, judged_at = excluded.judged_at, resolved_at = excluded.resolved_at,
               resolution = excluded.resolution, covers = excluded.covers, notified_at = excluded.notified_at,
               asked_after = excluded.asked_after, told_measure = excluded.told_measure, worsened_at = excluded.worsened_at,
               measure = excluded.measure, unit = excluded.unit, current_value = excluded.current_value,
               worst_value = excluded.worst_value, worst_at = excluded.worst_at, threshold_value = excluded.threshold_value
        """;

    /// <summary>
    /// Stores these events as they now are; what they are about is written at the opening only. Operators' columns are not written:
    /// operators change them by their own statements. Nor is what inhibits them: see <see cref="RelatedEvents"/>.
    /// </summary>
    public static void Upsert(DatabaseBatch batch, IReadOnlyList<SecurityEvent> events)
    {
        if (events.Count > 0)
            batch.Add(UpsertSql,
                ("eventIds", events.Select(e => e.EventId).ToArray()),
                ("fingerprints", events.Select(e => e.Fingerprint).ToArray()),
                ("monitors", events.Select(e => e.Monitor).ToArray()),
                ("ruleIds", events.Select(e => e.RuleId).ToArray()),
                ("ruleVersions", events.Select(e => e.RuleVersion).ToArray()),
                ("threatTypes", events.Select(e => e.ThreatType).ToArray()),
                ("severities", events.Select(e => SnakeCase.Of(e.Severity)).ToArray()),
                ("statuses", events.Select(e => SnakeCase.Of(e.Status)).ToArray()),
                ("subjects", events.Select(e => e.Subject).ToArray()),
                ("titles", events.Select(e => e.Title).ToArray()),
                ("descriptions", events.Select(e => e.Description).ToArray()),
                ("indicators", events.Select(e => e.Indicators).ToArray()),
                ("addresses", events.Select(e => JsonSerializer.Serialize(e.RelatedAddresses)).ToArray()),
                ("losses", events.Select(e => e.EstimatedLossUsd).ToArray()),
                ("occurrences", events.Select(e => e.Occurrences).ToArray()),
                ("cleanChecks", events.Select(e => e.CleanChecks).ToArray()),
                ("firstTimes", events.Select(e => e.FirstSeenAt.UtcDateTime).ToArray()),
                ("lastTimes", events.Select(e => e.LastSeenAt.UtcDateTime).ToArray()),
                ("judgedTimes", events.Select(e => e.JudgedAt.UtcDateTime).ToArray()),
                ("resolvedTimes", events.Select(e => e.ResolvedAt).ToArray()),
                ("resolutions", events.Select(e => e.Resolution!).ToArray()),
                ("subjectKinds", events.Select(e => e.SubjectKind!).ToArray()),
                ("networks", events.Select(e => e.Network!).ToArray()),
                ("accounts", events.Select(e => e.Account!).ToArray()),
                ("subjectIds", events.Select(e => e.SubjectId!).ToArray()),
                ("transactionHashes", events.Select(e => e.TransactionHash!).ToArray()),
                ("labels", events.Select(e => e.Labels).ToArray()),
                ("covers", events.Select(e => e.Covers is null ? null! : JsonSerializer.Serialize(e.Covers)).ToArray()),
                ("notifiedTimes", events.Select(e => e.NotifiedAt).ToArray()),
                ("askedAfters", events.Select(e => e.AskedAfter).ToArray()),
                ("openings", events.Select(e => e.EarlierOpenings is null ? null! : JsonSerializer.Serialize(e.EarlierOpenings)).ToArray()),
                ("toldMeasures", events.Select(e => e.ToldMeasure).ToArray()),
                ("worsenedTimes", events.Select(e => e.WorsenedAt).ToArray()),
                ("measures", events.Select(e => e.Measure!).ToArray()),
                ("units", events.Select(e => e.Unit!).ToArray()),
                ("currentValues", events.Select(e => e.CurrentValue).ToArray()),
                ("worstValues", events.Select(e => e.WorstValue).ToArray()),
                ("worstTimes", events.Select(e => e.WorstAt).ToArray()),
                ("thresholdValues", events.Select(e => e.ThresholdValue).ToArray()));
    }
}
