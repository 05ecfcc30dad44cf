using Monitoring.Data.Configuration;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Subjects;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>How often the monitor <c>inventory</c> looks, and the thresholds of its rule.</summary>
internal sealed record InventoryOptions(TimeSpan Interval, InventoryThresholds Thresholds)
{
    /// <summary>How often it looks.</summary>
    public static readonly IntervalSetting IntervalSetting =
        new("Monitors:Inventory:Interval", "INVENTORY_CHECK_INTERVAL", "--inventory-interval", "the component vaults' positions", 10);

    /// <summary>Reads the monitor's settings.</summary>
    public static InventoryOptions Read(SettingsReader settings) => new(
        IntervalSetting.Read(settings),
        InventoryThresholds.Read(settings));
}

/// <summary>Inclusive thresholds: a position's share of HLP's equity in percent, and its rise between two checks in points.</summary>
internal sealed record InventoryThresholds(decimal MediumPct, decimal HighPct, decimal CriticalPct, decimal JumpPoints)
{
    private const decimal Most = 10_000;

    /// <summary>The defaults.</summary>
    public static readonly InventoryThresholds Default = Read(new SettingsReader(new ConfigurationBuilder().Build()));

    /// <summary>Reads <c>Rules:hlp.inventory</c>; a higher severity with a lower threshold is refused.</summary>
    public static InventoryThresholds Read(SettingsReader settings)
    {
        var read = new InventoryThresholds(
            settings.Number(InventoryRuleSet.MediumPct, 0, Most),
            settings.Number(InventoryRuleSet.HighPct, 0, Most),
            settings.Number(InventoryRuleSet.CriticalPct, 0, Most),
            settings.Number(InventoryRuleSet.JumpPoints, 0, Most));
        settings.RefuseUnlessInOrder(InventoryRuleSet.MediumPct, read.MediumPct, InventoryRuleSet.HighPct, read.HighPct);
        settings.RefuseUnlessInOrder(InventoryRuleSet.HighPct, read.HighPct, InventoryRuleSet.CriticalPct, read.CriticalPct);
        return read;
    }
}
