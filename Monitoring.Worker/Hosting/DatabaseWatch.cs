using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Hosting;

/// <summary>
/// Waits for a database with the schema that this program needs, says what is missing meanwhile, and registers the monitors in it.
/// </summary>
internal sealed partial class DatabaseWatch(
    SchemaVersions schema, MonitorTable monitors, IEnumerable<MonitorSchedule> schedules, WorkerOptions options, TimeProvider clock,
    ILogger<DatabaseWatch> logger)
    : BackgroundService
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RepeatEvery = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DateTimeOffset? saidAt = null;
        while (await FindProblemAsync(stoppingToken) is { } problem)
        {
            if (saidAt is null || clock.GetUtcNow() - saidAt >= RepeatEvery)
            {
                LogNotReady(options.Database.Display, problem);
                saidAt = clock.GetUtcNow();
            }

            await Task.Delay(RetryEvery, clock, stoppingToken);
        }

        LogReady(options.Database.Display, SchemaVersions.Required);
    }

    private async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await schema.FindProblemAsync(cancellationToken) is { } problem)
                return problem;
            foreach (var schedule in schedules)
                await monitors.RegisterAsync(schedule.Name, schedule.Interval, schedule.Deadline, clock.GetUtcNow(), cancellationToken);
            return null;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return DatabaseFaults.Describe(fault);
        }
    }

    [LoggerMessage(LogLevel.Error, "database {Database} is not ready: {Problem}. Trying again every 2 s; checks go on meanwhile")]
    private partial void LogNotReady(string database, string problem);

    [LoggerMessage(LogLevel.Information, "database {Database} is ready, schema {Version}")]
    private partial void LogReady(string database, long version);
}
