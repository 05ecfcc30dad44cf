using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Logging;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Maintenance;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Hyperliquid.Feed;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Hosting;

/// <summary>Puts the worker together.</summary>
internal static class WorkerHost
{
    /// <summary>Builds the host for these options; nothing runs before it is started.</summary>
    public static IHost Build(WorkerOptions options, TimeProvider clock, Action<ILoggingBuilder>? configureLogging = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "Monitoring.Worker" });
        builder.Logging.SetMinimumLevel(options.LogLevel).AddFilter("Quartz", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning)
            .AddFilter("System.Net.Http.HttpClient", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        (configureLogging ?? OperatorConsole.AddOperatorConsole)(builder.Logging);

        var services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        services.AddSingleton(options).AddSingleton(options.HlpVault).AddSingleton(options.Events).AddSingleton(options.Liquidations)
            .AddSingleton(options.Inventory).AddSingleton(options.Watchdog).AddSingleton(options.Retention);
        services.AddSingleton(clock);
        services.AddSingleton(WorkerIdentity.OfThisProcess());
        services.AddSingleton<SessionStatistics>().AddSingleton<StopSignal>().AddSingleton<EventLog>().AddSingleton<CheckRunner>();
        services.AddHostedService<SessionLog>();

        AddVenue(services, options);
        AddMonitor<HlpVaultMonitor>(services, HlpVaultMonitor.MonitorName, options.HlpVault.Interval);
        AddInventory(services, options);
        AddMonitor<InventoryMonitor>(services, InventoryMonitor.MonitorName, options.Inventory.Interval);
        services.AddOracle(options.Oracle, options.WithoutDatabase);
        AddMonitor<OracleMonitor>(services, OracleMonitor.MonitorName, options.Oracle.Interval);
        AddMonitor<LiquidationMonitor>(services, LiquidationMonitor.MonitorName, options.Liquidations.Interval);
        AddWatching(services, options);
        AddMonitor<WatchdogMonitor>(services, WatchdogMonitor.MonitorName, options.Watchdog.Interval);
        AddNotifications(services, options);
        AddRecording(services, options);
        services.AddHyperliquidFeed(options.Feed);
        // Last, because hosted services stop in reverse order: first no more checks, then the rest of the results, then the summary.
        services.AddCheckScheduling(clock.GetUtcNow());
        return builder.Build();
    }

    private static void AddVenue(IServiceCollection services, WorkerOptions options)
    {
        services.AddHttpClient(HyperliquidClient.Name, http =>
        {
            http.BaseAddress = options.HyperliquidUrl;
            http.Timeout = Timeout.InfiniteTimeSpan; // the pipeline holds the deadline of each attempt
            http.MaxResponseContentBufferSize = 16 << 20;
        });
        services.AddSingleton(provider => new WeightBudget(provider.GetRequiredService<TimeProvider>(), options.HyperliquidWeight)).AddSingleton<HyperliquidPipeline>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<HyperliquidClient>(provider,
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(HyperliquidClient.Name)));
        // Without a database the tables are not registered, and the histories are what this process sees.
        services.AddSingleton(provider => new HlpVaultHistory(options.HlpVault, provider.GetService<HlpVaultSnapshots>(), provider.GetRequiredService<ILogger<HlpVaultHistory>>()));
        services.AddSingleton<FreshAccounts>();
        services.AddSingleton<AccountReader>();
        services.AddSingleton<AccountFundings>();
        services.AddSingleton(provider => new LiquidationHistory(
            options.WithoutDatabase ? null : ActivatorUtilities.CreateInstance<LiquidationTables>(provider), provider.GetRequiredService<ILogger<LiquidationHistory>>()));
    }

    private static void AddInventory(IServiceCollection services, WorkerOptions options)
    {
        services.AddSingleton<VaultTree>();
        services.AddSingleton(provider => new InventoryHistory(
            options.HlpVault, options.WithoutDatabase ? null : ActivatorUtilities.CreateInstance<InventoryTables>(provider), provider.GetRequiredService<ILogger<InventoryHistory>>()));
    }

    private static void AddWatching(IServiceCollection services, WorkerOptions options)
    {
        services.AddSingleton(provider => new WatchedMonitors(provider.GetServices<MonitorSchedule>));
        services.AddSingleton(provider => new MonitorHealth(provider.GetRequiredService<WatchedMonitors>(), provider.GetRequiredService<SessionStatistics>(),
            provider.GetService<CheckRuns>(), provider.GetRequiredService<ILogger<MonitorHealth>>()));
        services.AddHttpClient(Heartbeat.ClientName);
        services.AddSingleton<Heartbeat>();
        if (options.Watchdog.HeartbeatUrl is not null)
            services.AddHostedService(provider => provider.GetRequiredService<Heartbeat>());
    }

    private static void AddMonitor<T>(IServiceCollection services, string name, TimeSpan interval) where T : class, IMonitor
    {
        services.AddSingleton<T>();
        services.AddSingleton(provider => new MonitorSchedule(provider.GetRequiredService<T>(), interval));
        services.AddSingleton(new ScheduledMonitor(name, interval));
    }

    private static void AddNotifications(IServiceCollection services, WorkerOptions options)
    {
        services.AddChannels(options.Channels);
        services.AddSingleton(options.Notifications);
        services.AddSingleton(provider => new NotificationRouting(
            provider.GetServices<INotificationChannel>().Select(channel => channel.Name), options.Events.AlertMinSeverity, options.Notifications.Routes));
        if (options.WithoutDatabase)
            services.AddSingleton<MemoryOutbox>().AddSingleton<IOutbox>(provider => provider.GetRequiredService<MemoryOutbox>());
        else
            services.AddSingleton<IOutbox, DatabaseOutbox>();
        services.AddHostedService<Notifier>();
    }

    private static void AddRecording(IServiceCollection services, WorkerOptions options)
    {
        if (options.WithoutDatabase)
        {
            services.AddSingleton<IRecorder, MemoryRecorder>().AddRuleCatalog();
            return;
        }

        services.AddMonitoringData(options.Database);
        services.AddRecorder(options.Journal);
        services.AddSingleton<IRecorder>(provider => provider.GetRequiredService<QueueingRecorder>());
        services.AddHostedService(provider => provider.GetRequiredService<QueueingRecorder>());
        services.AddHostedService<DatabaseWatch>();
        services.AddSingleton<PartitionMaintenance>();
        services.AddHostedService(provider => provider.GetRequiredService<PartitionMaintenance>());
    }
}
