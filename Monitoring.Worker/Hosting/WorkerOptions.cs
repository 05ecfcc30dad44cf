using Monitoring.Data.Configuration;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Liquidations;

namespace Monitoring.Worker.Hosting;

/// <summary>Everything that the worker is configured by.</summary>
internal sealed record WorkerOptions(DatabaseOptions Database, bool WithoutDatabase, Uri HyperliquidUrl, HlpVaultOptions HlpVault, LiquidationOptions Liquidations, EventOptions Events)
{
    /// <summary>Reads all settings.</summary>
    /// <exception cref="ConfigurationFaultException">With one line per fault.</exception>
    public static WorkerOptions Read(SettingsReader settings, bool withoutDatabase)
    {
        var options = new WorkerOptions(
            DatabaseOptions.Read(settings, "Monitoring.Worker"),
            withoutDatabase,
            settings.BaseAddress("Venues:Hyperliquid:Url", "HYPERLIQUID_API_URL", "https://api.hyperliquid.xyz"),
            HlpVaultOptions.Read(settings),
            LiquidationOptions.Read(settings),
            EventOptions.Read(settings));
        if (options.Database.Connection is null && !withoutDatabase && !settings.HasFault("DATABASE_URL"))
            settings.Refuse("DATABASE_URL", $"is not set; it must be {DatabaseUrl.Form}. Or run with --no-database");
        settings.Finish(DatabaseOptions.Section, "Venues", "Monitors", "Events", "Rules");
        return options;
    }
}
