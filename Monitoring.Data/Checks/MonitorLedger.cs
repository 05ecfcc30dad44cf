using Monitoring.Data.Database;

namespace Monitoring.Data.Checks;

/// <summary>
/// A registered monitor and its runs within a window, counted; its successes on the grid as far as a check has to be over. Durations in
/// milliseconds.
/// <paramref name="KeptSince"/> is the beginning of the ledger.
/// What time alone will change: <paramref name="OldestAt"/> leaves the window, the check of
/// <paramref name="NextOverAt"/> has to be over, <paramref name="NextAt"/> is dated ahead and comes into the window.
/// </summary>
public sealed record MonitorActivity(
    string Monitor, int IntervalSeconds, DateTimeOffset IntervalSince, int DeadlineSeconds, DateTimeOffset? KeptSince,
    DateTimeOffset? LastSuccessAt, DateTimeOffset? LastErrorAt, string? LastError,
    long Runs, long Failures, long GridSuccesses, double? P50Ms, double? P99Ms,
    DateTimeOffset? OldestAt, DateTimeOffset? NextOverAt, DateTimeOffset? NextAt)
{
    private RegisteredMonitor Registration => new(Monitor, IntervalSeconds, IntervalSince, DeadlineSeconds);

    /// <summary>
    /// Grid times since a moment without a success, as far back as the ledger is kept, without the check that may still be at work.
    /// </summary>
    public long CountGaps(DateTimeOffset since, DateTimeOffset now) => Registration.CountGaps(since, KeptSince, now, GridSuccesses);

    /// <summary>From when on this is another row, if nothing is written: of a window that was read at a moment.</summary>
    public DateTimeOffset Until(TimeSpan window, DateTimeOffset now)
    {
        var (from, over) = (now - window, now - Registration.Deadline);
        return Edge.Earliest(OldestAt + window, NextOverAt + Registration.Deadline, NextAt,
            Registration.NextGridTime(from) + window, Registration.NextGridTime(over) + Registration.Deadline);
    }
}

/// <summary>
/// Why there was no success in time: the source did not answer (runs failed or timed out), no worker ran (no runs at all), the database
/// was away (results came a minute or more after their end), or checks began more than an interval late.
/// </summary>
public enum GapReason { SourceDown, WorkerDown, DatabaseAway, Late }

/// <summary>Neighbouring grid times of one monitor and reason: <paramref name="Count"/> of them in [from, until).</summary>
public sealed record GapSpan(string Monitor, DateTimeOffset FromAt, DateTimeOffset UntilAt, long Count, GapReason Reason);

/// <summary>
/// The successes on the grid of one monitor within a window, as far as a check has to be over; and what time alone will change.
/// </summary>
public sealed record GridSuccesses(
    string Monitor, int IntervalSeconds, DateTimeOffset IntervalSince, int DeadlineSeconds, DateTimeOffset? KeptSince, long Count,
    DateTimeOffset? OldestAt, DateTimeOffset? NextOverAt)
{
    private RegisteredMonitor Registration => new(Monitor, IntervalSeconds, IntervalSince, DeadlineSeconds);

    /// <inheritdoc cref="MonitorActivity.CountGaps"/>
    public long CountGaps(DateTimeOffset since, DateTimeOffset now) => Registration.CountGaps(since, KeptSince, now, Count);

    /// <inheritdoc cref="MonitorActivity.Until"/>
    public DateTimeOffset Until(TimeSpan window) => Edge.Earliest(OldestAt + window, NextOverAt + Registration.Deadline);
}

/// <summary>What the ledger says of all registered monitors at once.</summary>
public static class MonitorLedger
{
    /// <summary>The ledger's table.</summary>
    public const string Table = "check_runs";

    // Of each monitor the window that is asked for. Its present interval may be younger than that: runs before were on another grid.
    // The grid is that of RegisteredMonitor, in the statement because the registry is read by it; a test holds them together.
    private const string WindowsSql = $"""
        SELECT monitor, interval_seconds, interval_since, deadline_seconds, step, kept_since, from_at, over_at,
               date_bin(step, from_at + step - interval '1 microsecond', 'epoch') AS gaps_from,
               date_bin(step, over_at + step - interval '1 microsecond', 'epoch') AS gaps_until
          FROM (SELECT monitor, interval_seconds, interval_since, deadline_seconds, make_interval(secs => interval_seconds) AS step,
                       kept.since AS kept_since,
                       greatest(@since::timestamptz, kept.since, interval_since) AS from_at,
                       @now::timestamptz - make_interval(secs => deadline_seconds) AS over_at
                  FROM monitors
                  LEFT JOIN ({DayPartitions.FindOldestDaySql}) AS kept (since) ON true) AS registered
        """;

    private const string ListSql = $"""
        SELECT watched.monitor, interval_seconds, interval_since, deadline_seconds, kept_since,
               success.scheduled_at AS last_success_at, failure.scheduled_at AS last_error_at, failure.error AS last_error,
               runs, failures, grid_successes, percentiles[1] AS p50_ms, percentiles[2] AS p99_ms, oldest_at, next_over_at,
                   coming.scheduled_at AS next_at
          FROM ({WindowsSql}) AS watched
          LEFT JOIN LATERAL (SELECT scheduled_at FROM check_runs
                              WHERE monitor = watched.monitor AND outcome = 'succeeded' AND trigger = 'grid'
                                AND scheduled_at <= {StoredTimes.Limit}
                              ORDER BY scheduled_at DESC LIMIT 1) AS success ON true
          LEFT JOIN LATERAL (SELECT scheduled_at, error FROM check_runs
                              WHERE monitor = watched.monitor AND outcome <> 'succeeded' AND scheduled_at <= {StoredTimes.Limit}
                              ORDER BY scheduled_at DESC LIMIT 1) AS failure ON true
          LEFT JOIN LATERAL (SELECT scheduled_at FROM check_runs
                              WHERE monitor = watched.monitor AND scheduled_at >= @now
                              ORDER BY scheduled_at LIMIT 1) AS coming ON true
         CROSS JOIN LATERAL (SELECT count(*) AS runs,
                                    count(*) FILTER (WHERE outcome <> 'succeeded') AS failures,
                                    count(*) FILTER (WHERE outcome = 'succeeded' AND trigger = 'grid'
                                        AND scheduled_at < over_at) AS grid_successes,
                                    percentile_cont(ARRAY[0.5, 0.99])
                                        WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)::float8 * 1000) AS percentiles,
                                    min(scheduled_at) AS oldest_at,
                                    min(scheduled_at) FILTER (WHERE scheduled_at >= over_at) AS next_over_at
                               FROM check_runs
                              WHERE monitor = watched.monitor AND scheduled_at >= from_at AND scheduled_at < @now) AS counted
         ORDER BY watched.monitor
         LIMIT 1000
        """;

    /// <summary>Every registered monitor by name, with its runs whose scheduled time lies in [since, now).</summary>
    public static BatchRows<MonitorActivity> List(DatabaseBatch batch, DateTimeOffset since, DateTimeOffset now) =>
        batch.Add<MonitorActivity>(ListSql, ("since", since), ("now", now), ("newest", StoredTimes.Newest(now)), ("table", Table));

    // Two rows that say nothing, one before the first and one at the end of the window, so that holes at its edges are holes like any
    // other.
    private const string ListGapsSql = $"""
        SELECT watched.monitor, gap.from_at, gap.until_at, gap.count, gap.reason
          FROM ({WindowsSql}) AS watched
         CROSS JOIN LATERAL (
               WITH grid AS (
                   SELECT scheduled_at,
                          CASE WHEN outcome <> 'succeeded' THEN 'source_down'
                               WHEN recorded_at - finished_at > interval '1 minute' THEN 'database_away'
                               WHEN started_at - scheduled_at > step THEN 'late' END AS reason
                     FROM check_runs
                    WHERE monitor = watched.monitor AND trigger = 'grid' AND scheduled_at >= gaps_from AND scheduled_at < gaps_until
                   UNION ALL
                   SELECT gaps_from - step, NULL
                   UNION ALL
                   SELECT gaps_until, NULL),
               steps AS (
                   SELECT scheduled_at, reason,
                          lag(scheduled_at) OVER by_time AS previous_at,
                          (reason IS DISTINCT FROM lag(reason) OVER by_time
                              OR scheduled_at - lag(scheduled_at) OVER by_time > step)::int AS begins
                     FROM grid
                   WINDOW by_time AS (ORDER BY scheduled_at)),
               numbered AS (
                   SELECT scheduled_at, reason, sum(begins) OVER (ORDER BY scheduled_at) AS span
                     FROM steps)
               SELECT min(scheduled_at) AS from_at, max(scheduled_at) + step AS until_at, count(*) AS count, reason
                 FROM numbered
                WHERE reason IS NOT NULL
                GROUP BY span, reason
               UNION ALL
               SELECT previous_at + step, scheduled_at,
                      round(extract(epoch FROM scheduled_at - previous_at) / extract(epoch FROM step))::bigint - 1, 'worker_down'
                 FROM steps
                WHERE scheduled_at - previous_at > step
                ORDER BY from_at DESC
                LIMIT @limit) AS gap
         WHERE gaps_until > gaps_from
         ORDER BY watched.monitor, gap.from_at DESC
         LIMIT 100000
        """;

    /// <summary>
    /// Of each monitor the newest <paramref name="limit"/> spans of the grid times since a moment, of checks that have to be over, without
    /// a success in time.
    /// </summary>
    public static BatchRows<GapSpan> ListGaps(DatabaseBatch batch, DateTimeOffset since, DateTimeOffset now, int limit) =>
        batch.Add<GapSpan>(ListGapsSql, ("since", since), ("now", now), ("table", Table), ("limit", limit));

    private const string CountGridSuccessesSql = $"""
        SELECT watched.monitor, interval_seconds, interval_since, deadline_seconds, kept_since,
               count(scheduled_at) FILTER (WHERE scheduled_at < over_at) AS count, min(scheduled_at) AS oldest_at,
               min(scheduled_at) FILTER (WHERE scheduled_at >= over_at) AS next_over_at
          FROM ({WindowsSql}) AS watched
          LEFT JOIN check_runs ON check_runs.monitor = watched.monitor AND outcome = 'succeeded' AND trigger = 'grid'
              AND scheduled_at >= from_at
         WHERE watched.monitor = @monitor
         GROUP BY watched.monitor, interval_seconds, interval_since, deadline_seconds, kept_since
        """;

    /// <summary>
    /// The successes of one monitor on the grid since a moment, of checks that have to be over; without a row where nobody runs it.
    /// </summary>
    public static BatchRows<GridSuccesses> CountGridSuccesses(DatabaseBatch batch, string monitor, DateTimeOffset since,
        DateTimeOffset now) =>
        batch.Add<GridSuccesses>(CountGridSuccessesSql, ("monitor", monitor), ("since", since), ("now", now), ("table", Table));
}
