using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Hosting;

/// <summary>
/// Makes the monitors, so that one that cannot be made stops the start. Says at the start what runs, and at the end what was done.
/// </summary>
internal sealed partial class LifecycleLog(
    IEnumerable<MonitorSchedule> schedules, Func<string, IMonitor> monitors, WorkerOptions options, WorkerIdentity identity,
    SessionStatistics statistics, Supervisor supervisor, ILogger<LifecycleLog> logger)
    : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var schedule in schedules)
            monitors(schedule.Name);
        LogStarted(identity.Name,
            string.Join(", ", schedules.Select(monitor => $"{monitor.Name} every {monitor.Interval.TotalSeconds:0} s")),
            string.Join("; ", options.Subjects.Select(subject => subject.Summary)),
            options.WithoutDatabase ? "without a database: nothing is stored" : $"database {options.Database.Display}");
        foreach (var warning in options.Subjects.SelectMany(subject => subject.Warnings))
            LogWarning(warning);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        LogStopped($"{statistics}; {supervisor}");
        return Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Information, "worker {Worker} started: {Monitors}; {Subjects}; {Database}")]
    private partial void LogStarted(string worker, string monitors, string subjects, string database);

    [LoggerMessage(LogLevel.Warning, "{Warning}")]
    private partial void LogWarning(string warning);

    [LoggerMessage(LogLevel.Information, "worker stopped: {Statistics}")]
    private partial void LogStopped(string statistics);
}
