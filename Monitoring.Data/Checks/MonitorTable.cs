using Dapper;
using Monitoring.Data.Database;

namespace Monitoring.Data.Checks;

/// <summary>
/// A monitor that some worker runs. Gaps are judged from <paramref name="IntervalSince"/>, when its present interval took effect; a check
/// may take <paramref name="DeadlineSeconds"/>.
/// </summary>
public sealed record RegisteredMonitor(string Monitor, int IntervalSeconds, DateTimeOffset IntervalSince, int DeadlineSeconds)
{
    /// <summary>The grid that it is checked on.</summary>
    public CheckGrid Grid => new(TimeSpan.FromSeconds(IntervalSeconds));

    /// <summary>How long a check may be at work. Until then its absence says nothing.</summary>
    public TimeSpan Deadline => TimeSpan.FromSeconds(DeadlineSeconds);

    /// <summary>Grid times in [from, until) since the interval took effect: what a monitor without gaps has run.</summary>
    public long CountGridTimes(DateTimeOffset from, DateTimeOffset until) => Grid.Count(from > IntervalSince ? from : IntervalSince, until);

    /// <summary>
    /// Grid times since a moment, of checks that have to be over, that are more than these successes; the ledger is kept since <paramref
    /// name="kept"/>.
    /// </summary>
    public long CountGaps(DateTimeOffset since, DateTimeOffset? kept, DateTimeOffset now, long successes) =>
        Math.Max(0, CountGridTimes(kept > since ? kept.Value : since, now - Deadline) - successes);

    /// <summary>The first grid time at or after a moment.</summary>
    public DateTimeOffset NextGridTime(DateTimeOffset at) => Grid.AtOrAfter(at);
}

/// <summary>The table <c>monitors</c>: which monitors exist and how often they run, so that silence can be told from calm.</summary>
public sealed class MonitorTable(DatabaseConnections db)
{
    private const string RegisterSql = """
        INSERT INTO monitors (monitor, interval_seconds, interval_since, deadline_seconds)
        VALUES (@monitor, @intervalSeconds, @now, @deadlineSeconds)
        ON CONFLICT (monitor) DO UPDATE
           SET interval_seconds = excluded.interval_seconds, deadline_seconds = excluded.deadline_seconds,
               interval_since = CASE WHEN monitors.interval_seconds = excluded.interval_seconds THEN monitors.interval_since
                                     ELSE excluded.interval_since END
         WHERE (monitors.interval_seconds, monitors.deadline_seconds) <> (excluded.interval_seconds, excluded.deadline_seconds)
        """;

    /// <summary>Says that a worker runs this monitor at this interval, and how long a check may take. The same again changes
    /// nothing.</summary>
    public async Task RegisterAsync(
        string monitor, TimeSpan interval, TimeSpan deadline, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(
            RegisterSql, new { monitor, intervalSeconds = (int)interval.TotalSeconds, deadlineSeconds = (int)deadline.TotalSeconds, now },
            cancellationToken: cancellationToken));
    }

    private const string ListSql = """
        SELECT monitor, interval_seconds, interval_since, deadline_seconds
          FROM monitors
         ORDER BY monitor
         LIMIT 1000
        """;

    /// <summary>All monitors by name.</summary>
    public async Task<IReadOnlyList<RegisteredMonitor>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<RegisteredMonitor>(new(ListSql, cancellationToken: cancellationToken))).AsList();
    }
}
