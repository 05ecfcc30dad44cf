using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Supervision;

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
/// At the start and once a day: makes the partitions of the next days, and drops those that are older than their retention, whole.
/// </summary>
internal sealed partial class PartitionMaintenance(
    DayPartitions partitions, RetentionOptions retention, Supervisor supervisor, TimeProvider clock, ILogger<PartitionMaintenance> logger)
    : SupervisedService(supervisor)
{
    private const int DaysAhead = 2;

    /// <summary>Does it once. Throws what the database throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        await partitions.EnsureAsync(Enumerable.Range(0, DaysAhead + 1).Select(today.AddDays), cancellationToken);
        // The day that is being left is kept too: of the oldest rows kept, none is younger than the retention.
        var dropped = await partitions.DropBeforeAsync(table => today.AddDays(-retention.DaysOf(table)), cancellationToken);
        if (dropped.Count > 0)
            LogDropped(dropped.Count, string.Join(", ", dropped));
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("partition maintenance", async stopping =>
    {
        await RunAsync(stopping);
        return UntilTomorrow();
    })];

    private TimeSpan UntilTomorrow()
    {
        var now = clock.GetUtcNow();
        return new DateTimeOffset(now.UtcDateTime.Date.AddDays(1), TimeSpan.Zero).AddMinutes(5) - now;
    }

    [LoggerMessage(LogLevel.Information, "dropped {Count} partitions whose retention is over: {Names}")]
    private partial void LogDropped(int count, string names);
}
