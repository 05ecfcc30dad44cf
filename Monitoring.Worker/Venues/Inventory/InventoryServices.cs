using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>Registers the monitor <c>inventory</c>.</summary>
internal static class InventoryServices
{
    /// <summary>Adds the monitor and its history; without a database that is what this process saw.</summary>
    public static void AddInventory(this IServiceCollection services, InventoryOptions options, TimeSpan? spacing, bool withoutDatabase)
    {
        services.AddSingleton(options).AddSingleton<VaultTree>();
        services.AddSingleton(provider => new InventoryHistory(provider.GetRequiredService<HlpVaultOptions>(), options,
            withoutDatabase ? null : ActivatorUtilities.CreateInstance<InventoryTables>(provider),
            provider.GetRequiredService<PastReads>(), provider.GetRequiredService<ILogger<InventoryHistory>>()));
        services.AddMonitor<InventoryMonitor>(
            new MonitorSchedule(InventoryMonitor.MonitorName, options.Interval) { TriggerSpacing = spacing });
    }
}
