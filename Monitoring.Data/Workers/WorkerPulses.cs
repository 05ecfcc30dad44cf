using Dapper;
using Monitoring.Data.Database;

namespace Monitoring.Data.Workers;

/// <summary>
/// What is known of one worker process. <paramref name="AgeSeconds"/> is how long ago its newest pulse was when this was read, by the
/// database's clock, which also made the times; <paramref name="StoppedAt"/> is when it ended in good order.
/// </summary>
public sealed record WorkerPulse(
    string Worker, string Version, DateTimeOffset StartedAt, DateTimeOffset PulsedAt, DateTimeOffset? StoppedAt, double AgeSeconds);

/// <summary>
/// Whether the server takes writes from anybody: not while it follows another one, nor, but from an account that is set otherwise, where
/// its own settings say so.
/// </summary>
public sealed record ServerMode(bool IsStandby, bool IsReadOnly);

/// <summary>The table <c>worker_pulses</c>: one row per worker process, moved on every few seconds by the database's clock.</summary>
public sealed class WorkerPulses(DatabaseConnections db)
{
    private const string BeginSql = """
        INSERT INTO worker_pulses (worker, version, started_at, pulsed_at)
        VALUES (@worker, @version, now() - @running, now())
        ON CONFLICT (worker) DO UPDATE
           SET version = excluded.version, started_at = excluded.started_at, pulsed_at = excluded.pulsed_at, stopped_at = NULL
        RETURNING started_at
        """;

    /// <summary>
    /// The first pulse of a process that has run for so long; takes the place of an earlier one of that name. Answers when it began, by the
    /// database's clock, which tells its row from that of another process of the same name.
    /// </summary>
    public async Task<DateTimeOffset> BeginAsync(string worker, string version, TimeSpan running, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<DateTimeOffset>(
            new(BeginSql, new { worker, version, running }, cancellationToken: cancellationToken));
    }

    private const string PulseSql = """
        UPDATE worker_pulses
           SET pulsed_at = now()
         WHERE worker = @worker AND started_at = @startedAt AND stopped_at IS NULL
        """;

    /// <summary>A further pulse. False: the row is gone, or another process has taken its name.</summary>
    public async Task<bool> PulseAsync(string worker, DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new(PulseSql, new { worker, startedAt }, cancellationToken: cancellationToken)) > 0;
    }

    private const string StopSql = """
        UPDATE worker_pulses
           SET pulsed_at = now(), stopped_at = now()
         WHERE worker = @worker AND started_at = coalesce(@startedAt::timestamptz, started_at)
        """;

    /// <summary>The process ends in good order; when it began may not be known yet where its first pulse was just being written.</summary>
    public async Task StopAsync(string worker, DateTimeOffset? startedAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(StopSql, new { worker, startedAt }, cancellationToken: cancellationToken));
    }

    // Of the future, too: a clock was set back since.
    private const string RemoveUnseenSql = """
        DELETE FROM worker_pulses
         WHERE pulsed_at NOT BETWEEN now() - interval '1 day' AND now() + interval '1 day'
        """;

    /// <summary>Forgets workers that were not seen for a day; answers how many.</summary>
    public async Task<int> RemoveUnseenAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new(RemoveUnseenSql, cancellationToken: cancellationToken));
    }

    private const string ListSql = """
        SELECT worker, version, started_at, pulsed_at, stopped_at, extract(epoch FROM now() - pulsed_at)::double precision AS age_seconds
          FROM worker_pulses
         ORDER BY pulsed_at DESC, worker
         LIMIT 100
        """;

    /// <summary>The workers, the newest pulse first.</summary>
    public static BatchRows<WorkerPulse> List(DatabaseBatch batch) => batch.Add<WorkerPulse>(ListSql);

    // A setting of this account alone says nothing of what the worker's may do. Which one it is is looked for only where it is on.
    private const string FindModeSql = """
        SELECT pg_is_in_recovery() AS is_standby,
               CASE WHEN current_setting('default_transaction_read_only')::boolean
                    THEN EXISTS (SELECT FROM pg_settings
                                  WHERE name = 'default_transaction_read_only'
                                    AND source IN ('environment variable', 'configuration file', 'command line', 'global', 'database'))
                    ELSE false END AS is_read_only
        """;

    /// <summary>Whether the server takes writes, as far as it says so itself.</summary>
    public static BatchRows<ServerMode> FindMode(DatabaseBatch batch) => batch.Add<ServerMode>(FindModeSql);
}
