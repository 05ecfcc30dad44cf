using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Maintenance;

/// <summary>How long the high-volume tables are kept: so many days, unless a table has a number of its own.</summary>
internal sealed record RetentionOptions(int Days, IReadOnlyDictionary<string, int> DaysByTable)
{
    private const int Most = 3650;

    /// <summary>Reads <c>Retention:Days</c>, and <c>Retention:&lt;table&gt;</c> of each of these tables.</summary>
    public static RetentionOptions Read(SettingsReader settings, IEnumerable<string> tables)
    {
        var days = settings.Whole("Retention:Days", "RETENTION_DAYS", 30, 1, Most);
        return new RetentionOptions(days,
            tables.ToDictionary(table => table, table => settings.Whole($"Retention:{table}", null, days, 1, Most)));
    }

    /// <summary>The days that rows of this table are kept.</summary>
    public int DaysOf(string table) => DaysByTable.GetValueOrDefault(table, Days);
}

/// <summary>
/// At the start and once a day: makes the partitions of the next days, and drops those that are older than their retention, whole. What is
/// dropped never comes back, so several clocks must agree on the day: this machine's, the database's and those of the sources.
/// </summary>
internal sealed partial class PartitionMaintenance(
    DayPartitions partitions, RetentionOptions retention, DatabaseClock database, Supervisor supervisor, WorkerClock clock,
    ILogger<PartitionMaintenance> logger)
    : SupervisedService(supervisor)
{
    private const int DaysAhead = 2;

    private static readonly TimeSpan RetryEvery = TimeSpan.FromMinutes(1);

    // So long a source may take to say what time it is; database and worker may stand on one machine and be wrong together.
    private static readonly TimeSpan WaitForSources = TimeSpan.FromMinutes(10);

    /// <summary>Does it once; answers why nothing was dropped, where that is to be tried again. Throws what the database throws.</summary>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        await database.AskAsync(cancellationToken);
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        await partitions.EnsureAsync(Enumerable.Range(0, DaysAhead + 1).Select(today.AddDays), cancellationToken);
        if (FindDoubt() is { } doubt)
            return doubt;
        // The day that is being left is kept too: of the oldest rows kept, none is younger than the retention.
        var dropped = await partitions.DropBeforeAsync(table => today.AddDays(-retention.DaysOf(table)), cancellationToken);
        if (dropped.Count > 0)
            LogDropped(dropped.Count, string.Join(", ", dropped));
        return null;
    }

    // Why what day it is cannot be relied on; null where all clocks agree.
    private string? FindDoubt()
    {
        var clocks = clock.Differences;
        if (clocks.Where(difference => difference.AtLeast >= WorkerClock.Tolerance).ToList() is { Count: > 0 } others)
            return string.Join(", ", others.Select(other => $"this machine's clock is {Math.Abs(other.Ahead.TotalSeconds):0} s "
                + $"{(other.Ahead > TimeSpan.Zero ? "ahead of" : "behind")} {other.Clock}'s"));
        return clocks.Any(difference => difference.Clock != WorkerClock.Database) || clock.Running >= WaitForSources
            ? null : "no source has said yet what time it is";
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("partition maintenance", async stopping =>
    {
        if (await RunAsync(stopping) is not { } doubt)
            return UntilTomorrow();
        LogNotDropped(doubt);
        return RetryEvery;
    })];

    private TimeSpan UntilTomorrow()
    {
        var now = clock.GetUtcNow();
        return new DateTimeOffset(now.UtcDateTime.Date.AddDays(1), TimeSpan.Zero).AddMinutes(5) - now;
    }

    [LoggerMessage(LogLevel.Information, "dropped {Count} partitions whose retention is over: {Names}")]
    private partial void LogDropped(int count, string names);

    [LoggerMessage(LogLevel.Information, "no partition is dropped, it is looked at again in a minute: {Reason}")]
    private partial void LogNotDropped(string reason);
}
