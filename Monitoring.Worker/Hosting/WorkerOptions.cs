using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Venues;
using Monitoring.Worker.Maintenance;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Hyperliquid.Feed;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Hosting;

/// <summary>Everything that the worker is configured by.</summary>
internal sealed record WorkerOptions(DatabaseOptions Database, bool WithoutDatabase, Uri HyperliquidUrl, int HyperliquidWeight, FeedOptions Feed, HlpVaultOptions HlpVault, EventOptions Events,
    InventoryOptions Inventory, LiquidationOptions Liquidations, OracleOptions Oracle, WatchdogOptions Watchdog, RetentionOptions Retention, ChannelOptions Channels, JournalOptions Journal,
    NotificationOptions Notifications)
{
    /// <summary>The tables that are partitioned by day.</summary>
    public static readonly IReadOnlyList<string> KeptByDay =
        [CheckRuns.TableName, HlpVaultInventory.TableName, Data.Venues.Liquidations.TableName, OracleDeviations.TableName];

    /// <summary>What is said less loudly is not logged.</summary>
    public LogLevel LogLevel { get; private init; } = LogLevel.Information;

    /// <summary>Reads all settings.</summary>
    /// <exception cref="ConfigurationFaultException">With one line per fault.</exception>
    public static WorkerOptions Read(SettingsReader settings, bool withoutDatabase)
    {
        var venue = settings.BaseAddress("Venues:Hyperliquid:Url", "HYPERLIQUID_API_URL", "https://api.hyperliquid.xyz");
        var events = EventOptions.Read(settings);
        var channels = ChannelOptions.Read(settings);
        var options = new WorkerOptions(
            DatabaseOptions.Read(settings, "Monitoring.Worker"),
            withoutDatabase,
            venue,
            settings.Whole("Venues:Hyperliquid:WeightPerMinute", null, WeightBudget.VenueLimit, 120, 1_000_000),
            FeedOptions.Read(settings, venue),
            HlpVaultOptions.Read(settings),
            events,
            InventoryOptions.Read(settings),
            LiquidationOptions.Read(settings),
            OracleOptions.Read(settings),
            WatchdogOptions.Read(settings),
            RetentionOptions.Read(settings, KeptByDay),
            channels,
            JournalOptions.Read(settings),
            NotificationOptions.Read(settings, channels, events.AlertMinSeverity))
        {
            LogLevel = settings.Choice("Log:Level", "LOG_LEVEL", LogLevel.Information),
        };
        if (options.Database.Connection is null && !withoutDatabase && !settings.HasFault("DATABASE_URL"))
            settings.Refuse("DATABASE_URL", $"is not set; it must be {DatabaseUrl.Form}. Or run with --no-database");
        settings.Finish(DatabaseOptions.Section, "Venues", "Monitors", "Events", "Rules", "Heartbeat", "Retention", "Notifications", "Log", "Journal");
        return options;
    }
}
