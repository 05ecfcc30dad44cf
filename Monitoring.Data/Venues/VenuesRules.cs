using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>The rules of the subject <c>Venues</c>, each monitor's in a file of its own.</summary>
public static class VenuesRules
{
    // The vault is where the money is: what is found of it never waits for other messages.
    private const string OfTheVault = "hlp.";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } = [.. Each().Select(rule =>
        rule.Id.StartsWith(OfTheVault, StringComparison.Ordinal) ? rule with { NeverHeld = true } : rule)];

    private static IEnumerable<Rule> Each() =>
        [.. HlpVaultRuleSet.All, .. InventoryRuleSet.All, .. OracleRuleSet.All, .. LiquidationRuleSet.All, .. FeedRuleSet.All];
}
