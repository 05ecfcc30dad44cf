using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Hosting;

/// <summary>
/// Waits for a database with the schema that this program needs, says what is missing meanwhile, and registers the monitors in it.
/// </summary>
internal sealed partial class DatabaseWatch(
    SchemaVersions schema, MonitorTable monitors, IEnumerable<MonitorSchedule> schedules, WorkerOptions options, Supervisor supervisor,
    TimeProvider clock, ILogger<DatabaseWatch> logger)
    : SupervisedService(supervisor)
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RepeatEvery = TimeSpan.FromMinutes(1);

    private DateTimeOffset? _saidAt;

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("database watch", LookAsync)];

    private async Task<TimeSpan?> LookAsync(CancellationToken stopping)
    {
        if (await FindProblemAsync(stopping) is not { } problem)
        {
            LogReady(options.Database.Display, SchemaVersions.Required);
            return null;
        }

        if (_saidAt is null || clock.GetUtcNow() - _saidAt >= RepeatEvery)
        {
            LogNotReady(options.Database.Display, problem);
            _saidAt = clock.GetUtcNow();
        }

        return RetryEvery;
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
