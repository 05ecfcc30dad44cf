using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>The answer to vaultDetails; null for an address that is no vault.</summary>
internal static class VaultDetailsAnswer
{
    private const decimal Month = 30 * 86_400m;

    public static JsonObject? Of(VaultTree vaults, Account? account, string? user, Moment now)
    {
        if (account is null)
            return null;
        var followers = Followers.Of(account, account == vaults.Parent, now);
        return new()
        {
            ["name"] = account.Name,
            ["vaultAddress"] = Lower(account.Address),
            ["leader"] = Lower(account.Leader),
            ["description"] = "A simulated vault.",
            ["portfolio"] = PortfolioAnswer.Of(account, now),
            ["apr"] = Apr(account, now),
            ["followerState"] = followers.FirstOrDefault(follower => IsOf(follower, user))?.DeepClone(),
            ["leaderFraction"] = 0.0m,
            ["leaderCommission"] = 0.0m,
            ["followers"] = new JsonArray([.. followers]),
            ["maxDistributable"] = 0.0m,
            ["maxWithdrawable"] = 0.0m,
            ["isClosed"] = false,
            ["relationship"] = Relationship(vaults, account),
            ["allowDeposits"] = true,
            ["alwaysCloseOnWithdraw"] = false,
        };
    }

    private static JsonObject Relationship(VaultTree vaults, Account account) => account == vaults.Parent
        ? new()
        {
            ["type"] = "parent",
            ["data"] = new JsonObject { ["childAddresses"] = new JsonArray([.. vaults.Children.Select(child => Lower(child.Address))]) },
        }
        : new() { ["type"] = "child" };

    /// <summary>The last month's return, over a year.</summary>
    private static decimal Apr(Account account, Moment now)
    {
        var capital = account.AccountValueAt(now.Seconds);
        return capital <= 0 ? 0 : decimal.Round((account.PnlAt(now.Seconds) - account.PnlAt(now.Seconds - Month)) * 12 / capital, 10);
    }

    private static bool IsOf(JsonObject follower, string? user) =>
        user is not null && string.Equals((string?)follower["user"], user, StringComparison.OrdinalIgnoreCase);

    private static JsonNode Lower(string address) => address.ToLowerInvariant();
}
