using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Registers the monitor <c>liquidations</c>.</summary>
internal static class LiquidationServices
{
    /// <summary>Adds the monitor and its history; without a database that is what this process saw.</summary>
    public static void AddLiquidations(
        this IServiceCollection services, LiquidationOptions options, TimeSpan? spacing, bool withoutDatabase)
    {
        services.AddSingleton(options).AddSingleton<AccountReader>().AddSingleton<AccountFundings>()
            .AddSingleton<MarketQuotes>();
        services.AddSingleton(provider => new VaultPnl(
            provider.GetRequiredService<HyperliquidClient>(), provider.GetRequiredService<HlpVaultOptions>(),
            provider.GetService<HlpVaultSnapshots>(), provider.GetRequiredService<PastReads>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<VaultPnl>>()));
        services.AddSingleton(provider => new LiquidationHistory(
            withoutDatabase ? null : ActivatorUtilities.CreateInstance<LiquidationTables>(provider),
            provider.GetRequiredService<PastReads>(), provider.GetRequiredService<ILogger<LiquidationHistory>>()));
        services.AddMonitor<LiquidationMonitor>(
            new MonitorSchedule(LiquidationMonitor.MonitorName, options.Interval) { TriggerSpacing = spacing });
    }
}
