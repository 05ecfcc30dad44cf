using Monitoring.Data.Database;
using Monitoring.Data.Logging;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Liquidations;

namespace Monitoring.Worker.Hosting;

/// <summary>Puts the worker together.</summary>
internal static class WorkerHost
{
    /// <summary>Builds the host for these options; nothing runs before it is started.</summary>
    public static IHost Build(WorkerOptions options, TimeProvider clock, Action<ILoggingBuilder>? configureLogging = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "Monitoring.Worker" });
        builder.Logging.AddFilter("Quartz", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning)
            .AddFilter("System.Net.Http.HttpClient", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        (configureLogging ?? OperatorConsole.AddOperatorConsole)(builder.Logging);

        var services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        services.AddSingleton(options).AddSingleton(options.HlpVault).AddSingleton(options.Liquidations).AddSingleton(options.Events);
        services.AddSingleton(clock);
        services.AddSingleton(WorkerIdentity.OfThisProcess());
        services.AddSingleton<SessionStatistics>().AddSingleton<StopSignal>().AddSingleton<EventLog>().AddSingleton<CheckRunner>();
        services.AddHostedService<SessionLog>();

        AddVenue(services, options);
        AddMonitor<HlpVaultMonitor>(services, options.HlpVault.Interval);
        AddMonitor<LiquidationMonitor>(services, options.Liquidations.Interval);
        AddRecording(services, options);
        // Last, because hosted services stop in reverse order: first no more checks, then the rest of the results, then the summary.
        services.AddCheckScheduling([
            (HlpVaultMonitor.MonitorName, options.HlpVault.Interval),
            (LiquidationMonitor.MonitorName, options.Liquidations.Interval),
        ], clock.GetUtcNow());
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
        services.AddSingleton<WeightBudget>().AddSingleton<HyperliquidPipeline>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<HyperliquidClient>(provider,
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(HyperliquidClient.Name)));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<HlpVaultHistory>(provider,
            options.WithoutDatabase ? [] : new object[] { provider.GetRequiredService<HlpVaultSnapshots>() }));
        services.AddSingleton(provider => new LiquidationHistory(
            options.WithoutDatabase ? null : ActivatorUtilities.CreateInstance<LiquidationTables>(provider), provider.GetRequiredService<ILogger<LiquidationHistory>>()));
    }

    private static void AddMonitor<T>(IServiceCollection services, TimeSpan interval) where T : class, IMonitor
    {
        services.AddSingleton<T>();
        services.AddSingleton(provider => new MonitorSchedule(provider.GetRequiredService<T>(), interval));
    }

    private static void AddRecording(IServiceCollection services, WorkerOptions options)
    {
        if (options.WithoutDatabase)
        {
            services.AddSingleton<IRecorder, MemoryRecorder>();
            return;
        }

        services.AddMonitoringData(options.Database);
        services.AddSingleton<DatabaseRecorder>();
        services.AddSingleton<QueueingRecorder>();
        services.AddSingleton<IRecorder>(provider => provider.GetRequiredService<QueueingRecorder>());
        services.AddHostedService(provider => provider.GetRequiredService<QueueingRecorder>());
        services.AddHostedService<DatabaseWatch>();
    }
}
