using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>Registers the monitor <c>hlp-vault</c>.</summary>
internal static class HlpVaultServices
{
    /// <summary>
    /// Adds the monitor and its history; without a database there are no tables, and the history is what this process saw.
    /// </summary>
    public static void AddHlpVault(this IServiceCollection services, HlpVaultOptions options)
    {
        services.AddSingleton(options).AddSingleton<KnownComponents>();
        services.AddSingleton(provider => new HlpVaultHistory(
            options, provider.GetService<HlpVaultSnapshots>(), provider.GetRequiredService<PastReads>(),
            provider.GetRequiredService<ILogger<HlpVaultHistory>>()));
        services.AddMonitor<HlpVaultMonitor>(new MonitorSchedule(HlpVaultMonitor.MonitorName, options.Interval));
    }
}
