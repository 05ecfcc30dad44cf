using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>
/// The answer to userNonFundingLedgerUpdates, oldest first: what flowed into and out of a vault, or how a
/// trader got its first money.
/// </summary>
internal static class LedgerAnswer
{
    private const int PerPage = 2000;
    private const decimal FirstMoney = 1_000_000;

    /// <summary>Updates between two times, both included.</summary>
    public static JsonArray Of(Venue venue, Account? vault, string user, long start, long? end, Moment now)
    {
        var updates = (vault is null ? OfTrader(venue.Fills, user) : OfVault(venue.Scenario, vault, now))
            .Select(update => (Time: now.UnixMilliseconds + (long)((update.At - now.Seconds) * 1000), update.Delta));
        return [.. updates.Where(update => update.Time >= start && update.Time <= (end ?? long.MaxValue))
            .Take(PerPage)
            .Select(update => new JsonObject
            {
                ["time"] = update.Time, ["hash"] = $"0x{update.Time:x64}", ["delta"] = update.Delta,
            })];
    }

    private static IEnumerable<(decimal At, JsonObject Delta)> OfVault(Scenario scenario, Account vault, Moment now)
    {
        var last = Math.Min(
            decimal.Floor(now.Seconds), scenario.Moves.Select(move => decimal.Ceiling(move.At + move.Over)).DefaultIfEmpty(0).Max());
        for (var second = 0m; second <= last; second++)
            if (vault.FlowsAt(second) - vault.FlowsAt(second - 1) is var flow && flow != 0)
                yield return (second, flow > 0
                    ? new JsonObject { ["type"] = "vaultDeposit", ["vault"] = vault.Address, ["usdc"] = WireNumber.Text(flow) }
                    : new JsonObject
                    {
                        ["type"] = "vaultWithdraw", ["vault"] = vault.Address, ["user"] = FillBook.Trader(scenario.Seed, -1, (int)second),
                        ["requestedUsd"] = WireNumber.Text(-flow), ["commission"] = "0.0", ["closingCost"] = "0.0",
                        ["basis"] = WireNumber.Text(-flow), ["netWithdrawnUsd"] = WireNumber.Text(-flow),
                    });
    }

    private static IEnumerable<(decimal At, JsonObject Delta)> OfTrader(FillBook fills, string user)
    {
        if (fills.FindFunding(user) is { } funding)
            yield return (funding.At, new JsonObject
            {
                ["type"] = "internalTransfer", ["usdc"] = WireNumber.Text(FirstMoney), ["user"] = funding.Funder,
                ["destination"] = user, ["fee"] = "1.0",
            });
        else if (fills.TradesOf(user).Count > 0)
            yield return (-7 * 86_400m, new JsonObject { ["type"] = "deposit", ["usdc"] = WireNumber.Text(FirstMoney) });
    }
}
