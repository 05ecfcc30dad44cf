using System.Security.Cryptography;
using System.Text;

namespace Monitoring.Simulator.Model;

/// <summary>How a simulated liquidation happens, in the venue's words; adl has no word of its own there.</summary>
internal enum LiquidationKind { Market, Backstop, Adl }

/// <summary>The side of the liquidated position.</summary>
#pragma warning disable CA1720 // the names of the trade, not of number types
internal enum LiquidatedSide { Long, Short }
#pragma warning restore CA1720

/// <summary>
/// One trade of a liquidation at a second of the scenario: the account whose position goes, the other side, and
/// what both sides' fills say.
/// </summary>
internal sealed record LiquidationTrade(
    decimal At, long Tid, string Hash, string Coin, decimal Price, decimal Size, LiquidationKind Kind,
    LiquidatedSide Side, string Victim, string Counterparty);

/// <summary>Every liquidation of a scenario as trades in order of time, found by either party's account; the same for every run.</summary>
internal sealed class FillBook
{
    private const string NoHash = "0x0000000000000000000000000000000000000000000000000000000000000000";
    private const int SizeDigits = 8;
    private readonly Dictionary<string, List<LiquidationTrade>> _byAccount = new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, (string Funder, decimal At)> _fundings = new(StringComparer.OrdinalIgnoreCase);

    public FillBook(Scenario scenario, PriceBook prices)
    {
        foreach (var (index, move) in scenario.Moves.Index().Where(move => move.Item.Liquidations is { FundedTogether: true }))
            for (var number = 0; number < (move.Liquidations!.Users ?? move.Liquidations.Count); number++)
                _fundings[Trader(scenario.Seed, index, number)] = (Trader(scenario.Seed, index, -1), -86_400 + (60 * number));
        var tid = 100_000_000_000_000L + (Math.Abs(scenario.Seed % 1_000_000) * 1_000_000);
        var all = scenario.Moves.Index().Where(move => move.Item.Liquidations is not null)
            .SelectMany(move => Trades(scenario, prices, move.Index, move.Item)).OrderBy(trade => trade.At).ToList();
        All = [.. all.Select(trade => trade with { Tid = ++tid })];
        foreach (var trade in All)
        {
            Of(trade.Victim).Add(trade);
            Of(trade.Counterparty).Add(trade);
        }
    }

    /// <summary>Every trade, oldest first.</summary>
    public IReadOnlyList<LiquidationTrade> All { get; }

    /// <summary>The trades of an account, oldest first.</summary>
    public IReadOnlyList<LiquidationTrade> TradesOf(string account) => _byAccount.GetValueOrDefault(account) ?? [];

    /// <summary>The account of an invented trader.</summary>
    public static string Trader(long seed, int move, int number) =>
        "0x" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"trader {seed} {move} {number}")).AsSpan(0, 20));

    /// <summary>Who first sent a trader money and at which second, where accounts were funded together; else null.</summary>
    public (string Funder, decimal At)? FindFunding(string trader) => _fundings.TryGetValue(trader, out var funding) ? funding : null;

    private List<LiquidationTrade> Of(string account)
    {
        if (!_byAccount.TryGetValue(account, out var trades))
            _byAccount.Add(account, trades = []);
        return trades;
    }

    private static IEnumerable<LiquidationTrade> Trades(Scenario scenario, PriceBook prices, int index, Move move)
    {
        var one = move.Liquidations!;
        var component = scenario.FindComponent(one.Component)!.Address.ToLowerInvariant();
        for (var i = 0; i < one.Count; i++)
        {
            // Whole milliseconds, as the venue states time.
            var at = decimal.Round(move.At + (move.Over * i / one.Count), 3);
            var price = prices[one.Coin].At(at);
            var trader = Trader(scenario.Seed, index, i % (one.Users ?? one.Count));
            // The vault is deleveraged against: it is the one that is liquidated, a profitable trader the other side.
            var (victim, counterparty) = one.Method == LiquidationKind.Adl ? (component, trader) : (trader, component);
            var hash = one.Method == LiquidationKind.Adl ? NoHash
                : "0x" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"transaction {scenario.Seed} {index} {i}")));
            var size = decimal.Round(one.UsdEach / price / one.Fills, SizeDigits);
            for (var fill = 0; fill < one.Fills; fill++)
                yield return new LiquidationTrade(at, 0, hash, one.Coin, price, size, one.Method, one.Side, victim, counterparty);
        }
    }
}
