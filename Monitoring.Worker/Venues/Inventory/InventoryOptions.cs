using Monitoring.Data.Configuration;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Subjects;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>How often the monitor <c>inventory</c> looks, and the thresholds of its rules.</summary>
internal sealed record InventoryOptions(TimeSpan Interval, InventoryThresholds Thresholds, TakeoverThresholds Takeover)
{
    /// <summary>How often it looks.</summary>
    public static readonly IntervalSetting IntervalSetting =
        new("Monitors:Inventory:Interval", "INVENTORY_CHECK_INTERVAL", "--inventory-interval", "the component vaults' positions", 10);

    /// <summary>Reads the monitor's settings.</summary>
    public static InventoryOptions Read(SettingsReader settings) => new(
        IntervalSetting.Read(settings), InventoryThresholds.Read(settings), TakeoverThresholds.Read(settings));
}

/// <summary>
/// Inclusive thresholds: a position's share of HLP's equity in percent and its rise between two checks in points, how long leaving it
/// may take, and its share of the coin's open interest.
/// </summary>
internal sealed record InventoryThresholds(
    decimal MediumPct, decimal HighPct, decimal CriticalPct, decimal JumpPoints, ExitThresholds Exit, MarketThresholds Market)
{
    /// <summary>The defaults.</summary>
    public static readonly InventoryThresholds Default = Read(new SettingsReader(new ConfigurationBuilder().Build()));

    /// <summary>Reads <c>Rules:hlp.inventory</c>; a higher severity with a lower threshold is refused.</summary>
    public static InventoryThresholds Read(SettingsReader settings)
    {
        var read = new InventoryThresholds(
            settings.Share(InventoryRuleSet.MediumPct),
            settings.Share(InventoryRuleSet.HighPct),
            settings.Share(InventoryRuleSet.CriticalPct),
            settings.Share(InventoryRuleSet.JumpPoints),
            ExitThresholds.Read(settings),
            MarketThresholds.Read(settings));
        settings.RefuseUnlessInOrder(InventoryRuleSet.MediumPct, read.MediumPct, InventoryRuleSet.HighPct, read.HighPct);
        settings.RefuseUnlessInOrder(InventoryRuleSet.HighPct, read.HighPct, InventoryRuleSet.CriticalPct, read.CriticalPct);
        return read;
    }
}

/// <summary>
/// When a position cannot be left: hours at a share of the coin's volume, and the share of HLP's equity that makes it matter.
/// </summary>
internal sealed record ExitThresholds(
    decimal VolumePct, decimal HighHours, decimal HighSharePct, decimal CriticalHours, decimal CriticalSharePct)
{
    /// <summary>Reads the settings that begin with <c>Exit</c>.</summary>
    public static ExitThresholds Read(SettingsReader settings)
    {
        var read = new ExitThresholds(
            settings.Number(InventoryRuleSet.ExitVolumePct, 0.01m, 100),
            settings.Share(InventoryRuleSet.ExitHighHours),
            settings.Share(InventoryRuleSet.ExitHighSharePct),
            settings.Share(InventoryRuleSet.ExitCriticalHours),
            settings.Share(InventoryRuleSet.ExitCriticalSharePct));
        settings.RefuseUnlessInOrder(
            InventoryRuleSet.ExitHighHours, read.HighHours, InventoryRuleSet.ExitCriticalHours, read.CriticalHours);
        settings.RefuseUnlessInOrder(
            InventoryRuleSet.ExitHighSharePct, read.HighSharePct, InventoryRuleSet.ExitCriticalSharePct, read.CriticalSharePct);
        return read;
    }
}

/// <summary>When a position is the market: its share of the open interest, and the share of HLP's equity that makes it matter.</summary>
internal sealed record MarketThresholds(decimal HighPct, decimal CriticalPct, decimal SharePct)
{
    /// <summary>Reads the settings that begin with <c>Market</c>.</summary>
    public static MarketThresholds Read(SettingsReader settings)
    {
        var read = new MarketThresholds(
            settings.Share(InventoryRuleSet.MarketHighPct),
            settings.Share(InventoryRuleSet.MarketCriticalPct),
            settings.Share(InventoryRuleSet.MarketSharePct));
        settings.RefuseUnlessInOrder(
            InventoryRuleSet.MarketHighPct, read.HighPct, InventoryRuleSet.MarketCriticalPct, read.CriticalPct);
        return read;
    }
}

/// <summary>Inclusive thresholds of a take-over: shares of HLP's equity in percent now and before, and how long before.</summary>
internal sealed record TakeoverThresholds(decimal MediumPct, decimal HighPct, decimal FromPct, TimeSpan Window)
{
    private const int LongestWindow = 6 * 3600;

    /// <summary>The defaults.</summary>
    public static readonly TakeoverThresholds Default = Read(new SettingsReader(new ConfigurationBuilder().Build()));

    /// <summary>Reads <c>Rules:hlp.takeover</c>; thresholds that are not in order are refused.</summary>
    public static TakeoverThresholds Read(SettingsReader settings)
    {
        var read = new TakeoverThresholds(
            settings.Share(InventoryRuleSet.TakeoverMediumPct),
            settings.Share(InventoryRuleSet.TakeoverHighPct),
            settings.Share(InventoryRuleSet.TakeoverFromPct),
            settings.Seconds(InventoryRuleSet.TakeoverWindow, 60, LongestWindow));
        if (read.FromPct > read.MediumPct)
            settings.Refuse(InventoryRuleSet.TakeoverFromPct.Setting!,
                $"{read.FromPct} is above {InventoryRuleSet.TakeoverMediumPct.Setting} ({read.MediumPct}); what was nothing must be less");
        settings.RefuseUnlessInOrder(
            InventoryRuleSet.TakeoverMediumPct, read.MediumPct, InventoryRuleSet.TakeoverHighPct, read.HighPct);
        return read;
    }
}

file static class Bounds
{
    private const decimal Most = 10_000;

    /// <summary>A threshold in percent, points or hours.</summary>
    public static decimal Share(this SettingsReader settings, RuleThreshold threshold) => settings.Number(threshold, 0, Most);
}
