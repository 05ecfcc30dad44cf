using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Logging;
using Monitoring.Data.Subjects;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Http;
using Monitoring.Worker.Maintenance;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Hosting;

/// <summary>Puts the worker together.</summary>
internal static class WorkerHost
{
    /// <summary>
    /// Builds the host for these options; nothing runs before it is started. <paramref name="change"/> has the last word on its services.
    /// </summary>
    public static IHost Build(
        WorkerOptions options, TimeProvider machineClock, Action<ILoggingBuilder>? configureLogging = null,
        Action<IServiceCollection>? change = null, AskDatabaseTime? databaseTime = null)
    {
        var clock = new WorkerClock(machineClock);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "Monitoring.Worker" });
        builder.Logging.SetMinimumLevel(options.LogLevel).AddFilter("Quartz", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning)
            .AddFilter("System.Net.Http.HttpClient", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        (configureLogging ?? OperatorConsole.AddOperatorConsole)(builder.Logging);

        var services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        services.AddSingleton(options).AddSingleton(options.Events).AddSingleton(options.Watchdog).AddSingleton(options.Retention);
        services.AddSingleton(clock).AddSingleton<TimeProvider>(clock).AddSingleton(DataSubjects.Rules);
        services.AddSingleton(WorkerIdentity.OfThisProcess());
        // While the database is known to be away, that a loop cannot use it is no news.
        services.AddSingleton(provider => new Supervisor(clock, provider.GetRequiredService<ILogger<Supervisor>>(),
            fault => DatabaseFaults.Covers(fault) && provider.GetService<DatabaseLink>() is { IsAway: true }));
        services.AddSingleton<IWatchdogSource, LoopHealth>();
        services.AddHostedService<LifecycleLog>();

        // Hosted services stop in reverse order: first no more checks, then nothing that triggers them, then the rest of the results, and
        // the pulse last of all.
        if (!options.WithoutDatabase)
            PulseSender.AddTo(services);
        AddRecording(services, options, databaseTime);
        AddChecks(services);
        foreach (var subject in options.Subjects)
            subject.AddServices(services, options.WithoutDatabase);
        AddWatching(services, options);
        services.AddCheckScheduling(clock.GetUtcNow());
        change?.Invoke(services);
        return builder.Build();
    }

    private static void AddChecks(IServiceCollection services)
    {
        services.AddSingleton<SessionStatistics>().AddSingleton<StopSignal>().AddSingleton<EventLog>().AddSingleton<PastReads>();
        services.AddSingleton<Func<string, IMonitor>>(provider => name => provider.GetRequiredKeyedService<IMonitor>(name));
        services.AddSingleton<CheckRunner>().AddSingleton<TriggeredChecks>();
        services.AddHostedService(provider => provider.GetRequiredService<TriggeredChecks>());
    }

    private static void AddWatching(IServiceCollection services, WorkerOptions options)
    {
        services.AddMonitor<WatchdogMonitor>(new MonitorSchedule(WatchdogMonitor.MonitorName, options.Watchdog.Interval));
        services.AddSingleton(provider => new MonitorHealth(
            provider.GetServices<MonitorSchedule>(), provider.GetRequiredService<SessionStatistics>(), provider.GetService<CheckRuns>(),
            provider.GetRequiredService<PastReads>(), provider.GetRequiredService<ILogger<MonitorHealth>>()));
        services.AddSingleton<ClockHealth>().AddSingleton<IWatchdogSource>(provider => provider.GetRequiredService<ClockHealth>());
        services.AddHostedService<ClockComparison>();
        services.AddSourceClient(Heartbeat.ClientName, address: null);
        services.AddSingleton<Heartbeat>();
        if (options.Watchdog.HeartbeatUrl is not null)
            services.AddHostedService(provider => provider.GetRequiredService<Heartbeat>());
    }

    private static void AddRecording(IServiceCollection services, WorkerOptions options, AskDatabaseTime? databaseTime)
    {
        services.AddNotifications(options.Channels, options.Notifications, options.Events.AlertMinSeverity, options.WithoutDatabase);
        if (options.WithoutDatabase)
        {
            services.AddRecordingWithoutDatabase();
            return;
        }

        services.AddMonitoringData(options.Database);
        services.AddSingleton<IWatchdogSource, UnreadableRowsHealth>();
        services.AddRecording(options.Journal);
        services.AddSingleton<AskDatabaseTime>(provider => databaseTime ?? provider.GetRequiredService<ServerClock>().AskAsync);
        services.AddHostedService<DatabaseWatch>();
        services.AddSingleton<PartitionMaintenance>();
        services.AddHostedService(provider => provider.GetRequiredService<PartitionMaintenance>());
        services.AddHostedService<PulseMaintenance>();
    }
}
