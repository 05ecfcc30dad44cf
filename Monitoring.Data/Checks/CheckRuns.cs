using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Checks;

/// <summary>What made a check run: its time on the grid, or the live feed between two grid times.</summary>
public enum CheckTrigger { Grid, Feed }

/// <summary>How a check ended.</summary>
public enum CheckOutcome { Succeeded, Failed, TimedOut }

/// <summary>The ledger row of one check. <paramref name="Error"/> says why it did not succeed.</summary>
public sealed record CheckRun(
    string Monitor, DateTimeOffset ScheduledAt, CheckTrigger Trigger, DateTimeOffset StartedAt, DateTimeOffset FinishedAt,
    CheckOutcome Outcome, int Observations, int Findings, string? Error, string Worker)
{
    /// <summary>
    /// What its times carry besides the clock of the worker's machine, because that was wrong; 0 where it was right, null where that was
    /// not known.
    /// </summary>
    public decimal? ClockOffsetSeconds { get; init; }
}

/// <summary>
/// The newest success on the grid and the newest failure of a monitor; a check that the feed triggered may
/// have looked at a part only.
/// </summary>
public sealed record LatestCheckRuns(string Monitor, DateTimeOffset? LastSuccessAt, DateTimeOffset? LastErrorAt, string? LastError);

/// <summary>The ledger of checks, partitioned by day of <c>scheduled_at</c>.</summary>
public sealed class CheckRuns(DatabaseConnections db)
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
        INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker,
                                clock_offset_seconds)
        VALUES (@Monitor, @ScheduledAt, @Trigger, @StartedAt, @FinishedAt, @Outcome, @Observations, @Findings, @Error, @Worker,
                nullif(@ClockOffsetSeconds, 0))
        ON CONFLICT (monitor, scheduled_at) DO UPDATE
           SET trigger = excluded.trigger, started_at = excluded.started_at, finished_at = excluded.finished_at, outcome = excluded.outcome,
               observations = excluded.observations, findings = excluded.findings, error = excluded.error, worker = excluded.worker,
               clock_offset_seconds = excluded.clock_offset_seconds, recorded_at = now()
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
        return (await connection.QueryAsync<CheckRun>(
            new(ListSql, new { monitor, since, until, limit }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListLatestSql = """
        SELECT monitors.monitor, success.scheduled_at AS last_success_at, failure.scheduled_at AS last_error_at, failure.error AS last_error
          FROM monitors
          LEFT JOIN LATERAL (SELECT scheduled_at FROM check_runs
                              WHERE monitor = monitors.monitor AND outcome = 'succeeded' AND trigger = 'grid' AND scheduled_at <= @newest
                              ORDER BY scheduled_at DESC LIMIT 1) AS success ON true
          LEFT JOIN LATERAL (SELECT scheduled_at, error FROM check_runs
                              WHERE monitor = monitors.monitor AND outcome <> 'succeeded' AND scheduled_at <= @newest
                              ORDER BY scheduled_at DESC LIMIT 1) AS failure ON true
         ORDER BY monitors.monitor
         LIMIT 1000
        """;

    /// <summary>The newest success on the grid and the newest failure of every registered monitor, of those that can be true now.</summary>
    public async Task<IReadOnlyList<LatestCheckRuns>> ListLatestAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LatestCheckRuns>(
            new(ListLatestSql, new { newest = StoredTimes.Newest(now) }, cancellationToken: cancellationToken))).AsList();
    }
}
