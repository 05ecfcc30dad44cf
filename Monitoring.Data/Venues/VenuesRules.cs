using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>The rules of the subject <c>Venues</c>, each monitor's in a file of its own.</summary>
public static class VenuesRules
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } =
        [.. HlpVaultRuleSet.All, .. InventoryRuleSet.All, .. OracleRuleSet.All, .. LiquidationRuleSet.All, .. FeedRuleSet.All];
}
