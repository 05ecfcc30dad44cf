using Dapper;
using Npgsql;

namespace Monitoring.Data.Checks;

/// <summary>What made a check run: its time on the grid, or the live feed between two grid times.</summary>
public enum CheckTrigger { Grid, Feed }

/// <summary>How a check ended.</summary>
public enum CheckOutcome { Succeeded, Failed, TimedOut }

/// <summary>The ledger row of one check. <paramref name="Error"/> says why it did not succeed.</summary>
public sealed record CheckRun(
    string Monitor, DateTimeOffset ScheduledAt, CheckTrigger Trigger, DateTimeOffset StartedAt, DateTimeOffset FinishedAt,
    CheckOutcome Outcome, int Observations, int Findings, string? Error, string Worker);

/// <summary>A monitor's check runs within a window, counted; its successes on the grid as far as a check has to be over. Durations in milliseconds; null without a run.</summary>
public sealed record CheckRunSummary(long Runs, long Failures, long GridSuccesses, double? P50Ms, double? P99Ms);

/// <summary>The newest success on the grid and the newest failure of a monitor; a check that the feed triggered may have looked at a part only.</summary>
public sealed record LatestCheckRuns(string Monitor, DateTimeOffset? LastSuccessAt, DateTimeOffset? LastErrorAt, string? LastError);

/// <summary>
/// Why there was no success in time: the source did not answer (runs failed or timed out), no worker ran (no runs at all), the database
/// was away (results came a minute or more after their end), or checks began more than an interval late.
/// </summary>
public enum GapReason { SourceDown, WorkerDown, DatabaseAway, Late }

/// <summary>Neighbouring grid times of one reason: <paramref name="Count"/> of them in [from, until).</summary>
public sealed record GapSpan(DateTimeOffset FromAt, DateTimeOffset UntilAt, long Count, GapReason Reason);

/// <summary>The ledger of checks, partitioned by day of <c>scheduled_at</c>.</summary>
public sealed class CheckRuns(NpgsqlDataSource db)
{
    /// <summary>The table's name: its days are dropped when their retention is over.</summary>
    public const string TableName = "check_runs";

    private const string LockMonitorSql = """
        SELECT pg_advisory_xact_lock(hashtextextended('monitor ' || @Monitor, 0))
        """;

    private const string RecordSql = """
        WITH failure AS (
            SELECT observations
              FROM check_runs
             WHERE monitor = @Monitor AND scheduled_at = @ScheduledAt)
        INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker)
        VALUES (@Monitor, @ScheduledAt, @Trigger, @StartedAt, @FinishedAt, @Outcome, @Observations, @Findings, @Error, @Worker)
        ON CONFLICT (monitor, scheduled_at) DO UPDATE
           SET trigger = excluded.trigger, started_at = excluded.started_at, finished_at = excluded.finished_at, outcome = excluded.outcome,
               observations = excluded.observations, findings = excluded.findings, error = excluded.error, worker = excluded.worker,
               recorded_at = now()
         WHERE check_runs.outcome <> 'succeeded' AND excluded.outcome = 'succeeded'
        RETURNING coalesce((SELECT observations FROM failure), 0)
        """;

    /// <summary>
    /// Stores the row of one check, and lets no other worker record a check of this monitor until the transaction ends. Answers null when
    /// its result is there already. A success replaces another worker's failure of the same time: then answers how many observations that
    /// has left.
    /// </summary>
    public async Task<int?> RecordAsync(CheckRun run, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        // Two statements in one round trip: the second must see what whoever held the lock has committed.
        await using var answers = await transaction.Connection!.QueryMultipleAsync(
            new($"{LockMonitorSql}; {RecordSql}", run, transaction, cancellationToken: cancellationToken));
        await answers.ReadAsync();
        return await answers.ReadSingleOrDefaultAsync<int?>();
    }

    private const string SummariseSql = """
        SELECT count(*) AS runs,
               count(*) FILTER (WHERE outcome <> 'succeeded') AS failures,
               count(*) FILTER (WHERE outcome = 'succeeded' AND trigger = 'grid' AND scheduled_at < @overBefore) AS grid_successes,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)::float8 * 1000) AS p50_ms,
               percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)::float8 * 1000) AS p99_ms
          FROM check_runs
         WHERE monitor = @monitor AND scheduled_at >= @since AND scheduled_at < @until
        """;

    /// <summary>Counts the runs of one monitor whose scheduled time lies in [since, until), its successes on the grid only before <paramref name="overBefore"/>.</summary>
    public async Task<CheckRunSummary> SummariseAsync(string monitor, DateTimeOffset since, DateTimeOffset until, DateTimeOffset overBefore, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<CheckRunSummary>(new(SummariseSql, new { monitor, since, until, overBefore }, cancellationToken: cancellationToken));
    }

    // Two rows that say nothing, one before the first and one at the end of the window, so that holes at its edges are holes like any other.
    private const string ListGapsSql = """
        WITH grid AS (
            SELECT scheduled_at,
                   CASE WHEN outcome <> 'succeeded' THEN 'source_down'
                        WHEN recorded_at - finished_at > interval '1 minute' THEN 'database_away'
                        WHEN started_at - scheduled_at > @interval THEN 'late' END AS reason
              FROM check_runs
             WHERE monitor = @monitor AND trigger = 'grid' AND scheduled_at >= @since AND scheduled_at < @until
            UNION ALL
            SELECT @since - @interval, NULL
            UNION ALL
            SELECT @until, NULL),
        steps AS (
            SELECT scheduled_at, reason,
                   lag(scheduled_at) OVER by_time AS previous_at,
                   (reason IS DISTINCT FROM lag(reason) OVER by_time OR scheduled_at - lag(scheduled_at) OVER by_time > @interval)::int AS begins
              FROM grid
            WINDOW by_time AS (ORDER BY scheduled_at)),
        numbered AS (
            SELECT scheduled_at, reason, sum(begins) OVER (ORDER BY scheduled_at) AS span
              FROM steps)
        SELECT min(scheduled_at) AS from_at, max(scheduled_at) + @interval AS until_at, count(*) AS count, reason
          FROM numbered
         WHERE reason IS NOT NULL
         GROUP BY span, reason
        UNION ALL
        SELECT previous_at + @interval, scheduled_at,
               round(extract(epoch FROM scheduled_at - previous_at) / extract(epoch FROM @interval))::bigint - 1, 'worker_down'
          FROM steps
         WHERE scheduled_at - previous_at > @interval
         ORDER BY from_at DESC
         LIMIT @limit
        """;

    /// <summary>
    /// The newest spans of the grid times in [since, until) without a success in time, and why. Both bounds must be grid times of
    /// <paramref name="interval"/>.
    /// </summary>
    public async Task<IReadOnlyList<GapSpan>> ListGapsAsync(
        string monitor, TimeSpan interval, DateTimeOffset since, DateTimeOffset until, int limit, CancellationToken cancellationToken)
    {
        if (until <= since)
            return [];
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<GapSpan>(new(ListGapsSql, new { monitor, interval, since, until, limit }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListSql = """
        SELECT monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker
          FROM check_runs
         WHERE monitor = @monitor AND scheduled_at >= @since AND scheduled_at <= @until
         ORDER BY scheduled_at DESC
         LIMIT @limit
        """;

    /// <summary>The newest runs of one monitor whose scheduled time lies between two moments, both included, newest first.</summary>
    public async Task<IReadOnlyList<CheckRun>> ListAsync(
        string monitor, DateTimeOffset since, DateTimeOffset until, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<CheckRun>(new(ListSql, new { monitor, since, until, limit }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListLatestSql = """
        SELECT monitors.monitor, success.scheduled_at AS last_success_at, failure.scheduled_at AS last_error_at, failure.error AS last_error
          FROM monitors
          LEFT JOIN LATERAL (SELECT scheduled_at FROM check_runs
                              WHERE monitor = monitors.monitor AND outcome = 'succeeded' AND trigger = 'grid'
                              ORDER BY scheduled_at DESC LIMIT 1) AS success ON true
          LEFT JOIN LATERAL (SELECT scheduled_at, error FROM check_runs
                              WHERE monitor = monitors.monitor AND outcome <> 'succeeded'
                              ORDER BY scheduled_at DESC LIMIT 1) AS failure ON true
         ORDER BY monitors.monitor
         LIMIT 1000
        """;

    /// <summary>The newest success on the grid and the newest failure of every registered monitor.</summary>
    public async Task<IReadOnlyList<LatestCheckRuns>> ListLatestAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LatestCheckRuns>(new(ListLatestSql, cancellationToken: cancellationToken))).AsList();
    }
}
