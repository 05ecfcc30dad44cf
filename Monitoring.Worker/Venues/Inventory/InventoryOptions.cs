using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>How often the monitor <c>inventory</c> looks, and the thresholds of its rule (CONTRACT §5).</summary>
internal sealed record InventoryOptions(TimeSpan Interval, InventoryThresholds Thresholds)
{
    /// <summary>Reads the monitor's settings.</summary>
    public static InventoryOptions Read(SettingsReader settings) => new(
        settings.Seconds("Monitors:Inventory:Interval", "INVENTORY_CHECK_INTERVAL", 10, 1, 86400),
        InventoryThresholds.Read(settings));
}

/// <summary>Inclusive thresholds: a position's share of HLP's equity in percent, and its rise between two checks in points.</summary>
internal sealed record InventoryThresholds(decimal MediumPct, decimal HighPct, decimal CriticalPct, decimal JumpPoints)
{
    private const decimal Most = 10_000;

    /// <summary>The thresholds as the contract gives them.</summary>
    public static readonly InventoryThresholds Default = new(15, 30, 50, 10);

    /// <summary>Reads <c>Rules:hlp.inventory</c>; a higher severity with a lower threshold is refused.</summary>
    public static InventoryThresholds Read(SettingsReader settings)
    {
        var read = new InventoryThresholds(
            settings.Number("Rules:hlp.inventory:MediumPct", Default.MediumPct, 0, Most),
            settings.Number("Rules:hlp.inventory:HighPct", Default.HighPct, 0, Most),
            settings.Number("Rules:hlp.inventory:CriticalPct", Default.CriticalPct, 0, Most),
            settings.Number("Rules:hlp.inventory:JumpPoints", Default.JumpPoints, 0, Most));
        if (read.MediumPct > read.HighPct)
            settings.Refuse("Rules:hlp.inventory:HighPct", $"{read.HighPct} is below Rules:hlp.inventory:MediumPct ({read.MediumPct}); the higher severity needs the higher threshold");
        if (read.HighPct > read.CriticalPct)
            settings.Refuse("Rules:hlp.inventory:CriticalPct", $"{read.CriticalPct} is below Rules:hlp.inventory:HighPct ({read.HighPct}); the higher severity needs the higher threshold");
        return read;
    }
}
