using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>What the catalogue says of the rule of the monitor <c>inventory</c>.</summary>
public static class InventoryRuleSet
{
    private const string Concentration = "hlp_concentration";

    public static readonly RuleThreshold MediumPct =
        new("medium_pct", "Rules:hlp.inventory:MediumPct", 15, "%", "share of HLP's equity from which it is medium");
    public static readonly RuleThreshold HighPct = new("high_pct", "Rules:hlp.inventory:HighPct", 30, "%", "share from which it is high");
    public static readonly RuleThreshold CriticalPct =
        new("critical_pct", "Rules:hlp.inventory:CriticalPct", 50, "%", "share from which it is critical");
    public static readonly RuleThreshold JumpPoints =
        new("jump_points", "Rules:hlp.inventory:JumpPoints", 10, "points", "rise of the share from which it is at least high");

    /// <summary>One component vault holds much of one coin.</summary>
    public static readonly Rule Inventory = new("hlp.inventory", 1, "A component vault holds much of one coin", "inventory",
        "share = 100 * |notional of one coin in one component vault| / HLP's equity; jump = share now - share at the check an interval "
        + "before (0 if it was not held then)",
        [MediumPct, HighPct, CriticalPct, JumpPoints],
        [
            new(Severity.Medium, Concentration, "the share reaches medium"),
            new(Severity.High, Concentration, "the share reaches high, or it jumped"),
            new(Severity.Critical, Concentration, "the share reaches critical"),
        ],
        EventLifetime.Condition,
        "The venue's clearinghouseState of every component vault. A position that is handed over to HLP shows here before its loss is "
        + "booked.",
        "See who was liquidated into it (liquidations), how deep the coin's market is, and whether its price is being pushed: HLP has "
        + "to leave the position.")
    {
        Measure = "share_pct",
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } = [Inventory];
}
