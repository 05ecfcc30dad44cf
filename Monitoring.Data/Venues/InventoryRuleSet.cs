using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>What the catalogue says of the rules of the monitor <c>inventory</c>.</summary>
public static class InventoryRuleSet
{
    private const string Monitor = "inventory";
    private const string Concentration = "hlp_concentration";

    public static readonly RuleThreshold MediumPct =
        new("medium_pct", "Rules:hlp.inventory:MediumPct", 15, "%", "share of HLP's equity from which it is medium");
    public static readonly RuleThreshold HighPct = new("high_pct", "Rules:hlp.inventory:HighPct", 30, "%", "share from which it is high");
    public static readonly RuleThreshold CriticalPct =
        new("critical_pct", "Rules:hlp.inventory:CriticalPct", 50, "%", "share from which it is critical");
    public static readonly RuleThreshold JumpPoints =
        new("jump_points", "Rules:hlp.inventory:JumpPoints", 10, "points", "rise of the share from which it is at least high");
    public static readonly RuleThreshold ExitVolumePct = new("exit_volume_pct", "Rules:hlp.inventory:ExitVolumePct", 10, "%",
        "share of the coin's volume that can be traded without moving its price");
    public static readonly RuleThreshold ExitHighHours =
        new("exit_high_hours", "Rules:hlp.inventory:ExitHighHours", 24, "h", "hours to exit from which it is high");
    public static readonly RuleThreshold ExitHighSharePct =
        new("exit_high_share_pct", "Rules:hlp.inventory:ExitHighSharePct", 0.25m, "%", "and share of HLP's equity");
    public static readonly RuleThreshold ExitCriticalHours =
        new("exit_critical_hours", "Rules:hlp.inventory:ExitCriticalHours", 72, "h", "hours to exit from which it is critical");
    public static readonly RuleThreshold ExitCriticalSharePct =
        new("exit_critical_share_pct", "Rules:hlp.inventory:ExitCriticalSharePct", 1, "%", "and share of HLP's equity");
    public static readonly RuleThreshold MarketHighPct = new("market_high_pct", "Rules:hlp.inventory:MarketHighPct", 25, "%",
        "share of the coin's open interest from which it is high");
    public static readonly RuleThreshold MarketCriticalPct = new("market_critical_pct", "Rules:hlp.inventory:MarketCriticalPct", 50, "%",
        "share of the coin's open interest from which it is critical");
    public static readonly RuleThreshold MarketSharePct =
        new("market_share_pct", "Rules:hlp.inventory:MarketSharePct", 0.25m, "%", "and share of HLP's equity, for both");

    public static readonly RuleThreshold TakeoverMediumPct =
        new("medium_pct", "Rules:hlp.takeover:MediumPct", 0.5m, "%", "share of HLP's equity from which it is medium");
    public static readonly RuleThreshold TakeoverHighPct =
        new("high_pct", "Rules:hlp.takeover:HighPct", 2, "%", "share from which it is high");
    public static readonly RuleThreshold TakeoverFromPct =
        new("from_pct", "Rules:hlp.takeover:FromPct", 0.05m, "%", "share up to which nothing to speak of was held");
    public static readonly RuleThreshold TakeoverWindow =
        new("window_seconds", "Rules:hlp.takeover:WindowSeconds", 3600, "s", "how far back that may have been");

    /// <summary>Below so much of its opening threshold a measure no longer keeps an event open.</summary>
    public static readonly RuleThreshold HoldShare =
        new("hold_share", null, 0.5m, "x", "an open event ends when all measures are below so much of the lowest thresholds");

    /// <summary>One component vault holds much of one coin.</summary>
    public static readonly Rule Inventory = new("hlp.inventory", 2, "A component vault holds much of one coin", Monitor,
        "share = 100 * |notional of one coin in one component vault| / HLP's equity; jump = share now - share at the check an interval "
        + "before (0 if it was not held then); hours to exit = |notional| / (exit_volume_pct % of the coin's 24 h volume / 24); share of "
        + "the market = 100 * |size| / the coin's open interest. A volume or open interest that is missing or 0 is not known: what "
        + "depends on it is not judged.",
        [MediumPct, HighPct, CriticalPct, JumpPoints, ExitVolumePct, ExitHighHours, ExitHighSharePct, ExitCriticalHours,
            ExitCriticalSharePct, MarketHighPct, MarketCriticalPct, MarketSharePct, HoldShare],
        [
            new(Severity.Medium, Concentration, "the share reaches medium"),
            new(Severity.High, Concentration,
                "the share reaches high, or it jumped, or it cannot be left (exit_high), or it is the market (market_high)"),
            new(Severity.Critical, Concentration,
                "the share reaches critical, or it cannot be left (exit_critical), or it is the market (market_critical)"),
        ],
        EventLifetime.Level,
        "The venue's clearinghouseState of every component vault, volume and open interest from metaAndAssetCtxs. A position that is "
        + "handed over to HLP shows here before its loss is booked; in a thin coin 1 % of the equity can be too much to leave.",
        "See who was liquidated into it (liquidations), how deep the coin's market is, and whether its price is being pushed: HLP has "
        + "to leave the position.")
    {
        Measure = new("share_pct", "%"),
    };

    /// <summary>One component vault holds what it did not hold within the hour before.</summary>
    public static readonly Rule Takeover = new("hlp.takeover", 1, "A component vault took over a position", Monitor,
        "share = 100 * |notional of one coin in one component vault| / HLP's equity, which was <= from_pct at some check within the "
        + "window. Without such a check, and with a past that is not known over the whole window, it is not judged.",
        [TakeoverMediumPct, TakeoverHighPct, TakeoverFromPct, TakeoverWindow, HoldShare],
        [
            new(Severity.Medium, Concentration, "the share reaches medium"),
            new(Severity.High, Concentration, "the share reaches high"),
        ],
        EventLifetime.Level,
        "The venue's clearinghouseState of every component vault, against our own stored inventory. Liquidator vaults are flat in quiet "
        + "markets, and a take-over comes in many steps, each too small for a jump.",
        "See who was liquidated into it (liquidations) and whether that was on purpose: watch the coin's price, and how long leaving the "
        + "position takes (hlp.inventory).")
    {
        Measure = new("share_pct", "%"),
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } = [Inventory, Takeover];
}
