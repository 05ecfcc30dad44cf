using System.Text.Json;
using Dapper;
using Monitoring.Simulator;
using Npgsql;

namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// Compares what the venue showed, what the workers said they keep and what the receiver took with the rows of the database.
/// </summary>
internal sealed class FaultLedger(NpgsqlDataSource db, Venue venue, Receiver receiver)
{
    private sealed record Notification(Guid EventId, string Kind, string Severity, string Status, Guid? MessageId);

    private sealed record Run(string Monitor, DateTime ScheduledAt, string Outcome);

    /// <summary>Whether the venue has shown all it will.</summary>
    public bool IsSceneOver => venue.Now.Seconds > venue.Scenario.DurationSeconds;

    /// <summary>Whether nothing is missing any more, as far as one can see: every fill, every kept check, every notification.</summary>
    public async Task<bool> IsSettledAsync(IReadOnlyList<KeptCheck> kept, CancellationToken cancellationToken)
    {
        if (await CountMissingAsync(kept, cancellationToken) > 0 || (await MissingFillsAsync(cancellationToken)).Count > 0)
            return false;
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        var unfinished = await connection.QuerySingleAsync<long>("""
            SELECT (SELECT count(*)
                      FROM security_events AS e
                     WHERE status <> 'resolved'
                       AND rule_id = 'oracle.deviation'
                       -- What flaps is held open for an hour.
                       AND NOT EXISTS (SELECT FROM security_event_changes AS c
                                        WHERE c.event_id = e.event_id AND c.kind = 'flapping'))
                 + (SELECT count(*) FROM notifications WHERE status = 'pending')
            """);
        return unfinished == 0;
    }

    /// <summary>How many of these checks are not in the database as they were kept.</summary>
    public async Task<int> CountMissingAsync(IReadOnlyList<KeptCheck> kept, CancellationToken cancellationToken)
    {
        var stored = (await QueryAsync<Run>("SELECT monitor, scheduled_at, outcome FROM check_runs", cancellationToken)).ToDictionary(
            run => (run.Monitor, run.ScheduledAt), run => run.Outcome);
        return kept.Count(check => !stored.TryGetValue((check.Monitor, check.ScheduledAt.UtcDateTime), out var outcome)
            || (check.Succeeded && outcome != "succeeded"));
    }

    public async Task<FaultReport> JudgeAsync(FaultOptions options, IReadOnlyDictionary<FaultKind, int> injected,
        IReadOnlyList<KeptCheck> kept, IReadOnlyList<Disturbance> disturbances, TimeSpan? settled, CancellationToken cancellationToken)
    {
        var fills = Shown();
        var missingFills = await MissingFillsAsync(cancellationToken);
        var storedFills = await ValueAsync("SELECT count(*) FROM liquidations", cancellationToken);
        var rows = await QueryAsync<(long Expected, long Stored)>(RowsSql, cancellationToken);
        var grid = await GridAsync(disturbances, cancellationToken);
        List<Observed> observed =
        [
            new("fills of liquidations", fills.Count, storedFills, missingFills.Count,
                await ValueAsync("SELECT count(*) - count(DISTINCT tid) FROM liquidations", cancellationToken)),
            new("checks that a worker said it keeps", kept.Count, kept.Count - await CountMissingAsync(kept, cancellationToken),
                await CountMissingAsync(kept, cancellationToken), 0),
            new("rows of the checks in the ledger", rows.Sum(row => row.Expected), rows.Sum(row => row.Stored),
                rows.Sum(row => Math.Max(0, row.Expected - row.Stored)), rows.Sum(row => Math.Max(0, row.Stored - row.Expected))),
            new("snapshots in the hourly roll-up", await ValueAsync("SELECT count(*) FROM hlp_vault_snapshots", cancellationToken),
                await ValueAsync("SELECT coalesce(sum(snapshots), 0)::bigint FROM hlp_vault_hourly", cancellationToken),
                await ValueAsync("SELECT greatest(0, (SELECT count(*) FROM hlp_vault_snapshots) - (SELECT coalesce(sum(snapshots), 0) "
                    + "FROM hlp_vault_hourly))::bigint", cancellationToken),
                await ValueAsync("SELECT greatest(0, (SELECT coalesce(sum(snapshots), 0) FROM hlp_vault_hourly) - (SELECT count(*) "
                    + "FROM hlp_vault_snapshots))::bigint", cancellationToken)),
            new("changes of events, numbered",
                await ValueAsync("SELECT coalesce(max(seq), 0) FROM security_event_changes", cancellationToken),
                await ValueAsync("SELECT count(*) FROM security_event_changes", cancellationToken),
                await ValueAsync("SELECT coalesce(max(seq), 0) - count(*) FROM security_event_changes", cancellationToken),
                await ValueAsync("SELECT coalesce(sum(n - 1), 0)::bigint FROM (SELECT count(*) AS n FROM security_event_changes "
                    + "WHERE kind IN ('opened', 'resolved') GROUP BY event_id, kind) AS same", cancellationToken)),
        ];
        return new FaultReport(options, injected, observed, grid, await DeliveryAsync(disturbances, cancellationToken), settled);
    }

    // The ledger's own count of what each successful check brought, against the rows that carry its time.
    private const string RowsSql = """
        SELECT observations::bigint,
               CASE monitor
                    WHEN 'hlp-vault' THEN (SELECT count(*)
                                             FROM hlp_vault_snapshots
                                            WHERE observed_at = scheduled_at) + (SELECT count(*)
                                                                                   FROM hlp_vault_components
                                                                                  WHERE observed_at = scheduled_at)
                    WHEN 'inventory' THEN (SELECT count(*) FROM hlp_vault_inventory WHERE observed_at = scheduled_at)
                    ELSE (SELECT count(*) FROM oracle_deviations WHERE observed_at = scheduled_at) END
          FROM check_runs
         WHERE outcome = 'succeeded' AND monitor IN ('hlp-vault', 'inventory', 'oracle')
        """;

    /// <summary>Every trade that the venue has shown by now: all of them are observed, whatever died when.</summary>
    private HashSet<long> Shown() =>
        [.. venue.Fills.TradesOf(FaultScenario.Liquidator).Where(trade => trade.At <= venue.Now.Seconds).Select(trade => trade.Tid)];

    private async Task<IReadOnlyList<long>> MissingFillsAsync(CancellationToken cancellationToken)
    {
        var stored = (await QueryAsync<long>("SELECT tid FROM liquidations", cancellationToken)).ToHashSet();
        return [.. Shown().Where(tid => !stored.Contains(tid))];
    }

    // A grid time without a row is a gap that the read service shows. Each must lie where no worker ran, where one
    // died, or where the check before it took until then.
    private async Task<GridCount> GridAsync(IReadOnlyList<Disturbance> disturbances, CancellationToken cancellationToken)
    {
        var absent = await QueryAsync<(string Monitor, DateTime At)>("""
            SELECT monitor, at
              FROM (SELECT monitor, min(scheduled_at) AS first, max(scheduled_at) AS last
                      FROM check_runs
                     WHERE trigger = 'grid'
                     GROUP BY monitor) AS seen
              JOIN monitors USING (monitor)
             CROSS JOIN LATERAL generate_series(first, last, make_interval(secs => interval_seconds)) AS at
             WHERE NOT EXISTS (SELECT FROM check_runs WHERE check_runs.monitor = seen.monitor AND scheduled_at = at)
               AND NOT EXISTS (SELECT FROM check_runs WHERE check_runs.monitor = seen.monitor AND scheduled_at < at AND finished_at >= at)
             ORDER BY at
            """, cancellationToken);
        var down = disturbances
            .Where(one => one.Kind is FaultKind.Kill or FaultKind.ClockStep or FaultKind.SecondWorker && one.Worker is not null)
            .ToList();
        var unexplained = absent.Where(gap =>
            !down.Exists(one => gap.At >= one.From.UtcDateTime.AddSeconds(-5) && gap.At <= one.Until.UtcDateTime.AddSeconds(3))).ToList();
        return new GridCount(await ValueAsync("SELECT count(*) FROM check_runs", cancellationToken),
            await ValueAsync("SELECT count(*) FROM check_runs WHERE outcome <> 'succeeded'", cancellationToken),
            absent.Count, [.. unexplained.Select(gap => $"{gap.Monitor} {gap.At:HH:mm:ss}")]);
    }

    private async Task<Delivered> DeliveryAsync(IReadOnlyList<Disturbance> disturbances, CancellationToken cancellationToken)
    {
        // An opening that is one too many is told by its flapping.
        var unwritten = await ValueAsync("""
            SELECT count(*)
              FROM security_event_changes AS change
             WHERE kind IN ('opened', 'escalated', 'flapping') AND severity IN ('high', 'critical')
               AND NOT (kind = 'opened' AND EXISTS (SELECT FROM security_event_changes AS further
                                                     WHERE further.event_id = change.event_id AND further.kind = 'flapping'))
               AND NOT EXISTS (SELECT FROM notifications WHERE notifications.seq = change.seq AND channel = 'webhook')
            """, cancellationToken);
        var decided = await QueryAsync<Notification>(
            "SELECT event_id, kind, severity, status, message_id FROM notifications WHERE channel = 'webhook'", cancellationToken);
        var taken = receiver.Messages.Where(message => message.Taken)
            .Select(message => (Id: IdOf(message), message.At, Events: EventsOf(message))).ToList();
        var byId = taken.GroupBy(message => message.Id).ToDictionary(same => same.Key, same => same.Select(message => message.At).ToList());
        // A receiver drops what comes under an id that it has handled, so only the first message of an id counts.
        var told = taken.GroupBy(message => message.Id)
            .SelectMany(same => same.MinBy(message => message.At).Events.Select(eventId => (same.Key, eventId))).ToHashSet();
        var missing = decided.Where(one => one.MessageId is not { } id || !told.Contains((id, one.EventId))).ToList();
        var repeats = byId.SelectMany(same => same.Value.Skip(1)).ToList();
        // A repeat is due to a death between the receiver's yes and its mark: of the worker, or of its connection or database.
        var unexplained = repeats.Count(at => !disturbances.Any(one => one.Kind is not FaultKind.Receiver
            && at >= one.From.AddSeconds(-1) && at <= one.Until.AddSeconds(90)));
        var known = decided.Select(one => one.MessageId).OfType<Guid>().ToHashSet();
        return new Delivered(
            decided.Count + unwritten, decided.Count - missing.Count, missing.Count + unwritten, repeats.Count, unexplained,
            [.. receiver.Messages.Where(message => message.Taken && !known.Contains(IdOf(message)))
                .Select(message => $"{message.At:HH:mm:ss.fff} {message.Body}")],
            decided.Count(one => one.Status == "dead"), receiver.Messages.Count(message => !message.Taken));
    }

    private static IReadOnlyList<Guid> EventsOf(ReceivedMessage message) =>
        [.. JsonDocument.Parse(message.Body).RootElement.GetProperty("changes").EnumerateArray().Select(change =>
            change.GetProperty("event_id").GetGuid())];

    private static Guid IdOf(ReceivedMessage message) =>
        JsonDocument.Parse(message.Body).RootElement.GetProperty("notification_id").GetGuid();

    private async Task<long> ValueAsync(string sql, CancellationToken cancellationToken) =>
        (await QueryAsync<long>(sql, cancellationToken))[0];

    private async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<T>(
            new CommandDefinition(sql, commandTimeout: 120, cancellationToken: cancellationToken))).AsList();
    }
}
