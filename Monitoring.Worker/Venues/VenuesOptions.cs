using Monitoring.Data.Configuration;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Hyperliquid.Feed;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Worker.Venues;

/// <summary>Everything that the subject <c>Venues</c> is configured by.</summary>
internal sealed record VenuesOptions(
    HyperliquidOptions Hyperliquid, FeedOptions Feed, HlpVaultOptions HlpVault, InventoryOptions Inventory, LiquidationOptions Liquidations,
    OracleOptions Oracle)
{
    /// <summary>What the monitors ask of the venue at these intervals.</summary>
    public WeightPlan Weight => WeightPlan.Of(this);

    /// <summary>Reads all its settings. Intervals that need more than the venue takes are refused.</summary>
    public static VenuesOptions Read(SettingsReader settings)
    {
        var hyperliquid = HyperliquidOptions.Read(settings);
        var read = new VenuesOptions(hyperliquid, FeedOptions.Read(settings, hyperliquid.Url), HlpVaultOptions.Read(settings),
            InventoryOptions.Read(settings), LiquidationOptions.Read(settings), OracleOptions.Read(settings));
        if (read.Weight is { IsTooMuch: true } plan)
            settings.Refuse(HyperliquidOptions.WeightSetting, plan.Problem!);
        return read;
    }
}
