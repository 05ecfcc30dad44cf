using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Hosting;

/// <summary>Says at the start what runs, and at the end what was done.</summary>
internal sealed partial class SessionLog(IEnumerable<MonitorSchedule> schedules, WorkerOptions options, WorkerIdentity identity, SessionStatistics statistics, ILogger<SessionLog> logger)
    : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        LogStarted(identity.Name, string.Join(", ", schedules.Select(s => $"{s.Monitor.Name} every {s.Interval.TotalSeconds:0} s")),
            options.HyperliquidUrl, options.WithoutDatabase ? "without a database: nothing is stored" : $"database {options.Database.Display}");
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        LogStopped(statistics.ToString());
        return Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Information, "worker {Worker} started: {Monitors}; venue {Venue}; {Database}")]
    private partial void LogStarted(string worker, string monitors, Uri venue, string database);

    [LoggerMessage(LogLevel.Information, "worker stopped: {Statistics}")]
    private partial void LogStopped(string statistics);
}
