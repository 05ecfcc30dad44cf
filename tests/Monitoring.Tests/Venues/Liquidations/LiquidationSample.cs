using Monitoring.Data.Venues;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Liquidations;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>Made-up fills and liquidations.</summary>
internal static class LiquidationSample
{
    public const string Maker = "0x31ca8395cf837de08b24da3f660e77761dfb974b";
    public const string Victim = "0xb7b6f3cea3f66bf525f5d8f965f6dbf6d9b017b2";
    public const string ZeroHash = "0x0000000000000000000000000000000000000000000000000000000000000000";

    public static readonly FillOwner Vault = new(Maker, IsHlpVault: true);
    public static readonly FillOwner Watched = new(Victim, IsHlpVault: false);

    public static Fill Fill(
        string side, string dir, string? method, string? user = Victim, long tid = 7, string coin = "ETH", decimal px = 2000,
        decimal sz = 1.5m, long time = 1_760_130_900_000, string? hash = "0xAB", decimal? closedPnl = null) => new()
        {
            Coin = coin, Px = px, Sz = sz, Side = side, Time = time, Dir = dir, Hash = hash, Tid = tid, ClosedPnl = closedPnl,
            Liquidation = method is null ? null : new FillLiquidation { LiquidatedUser = user, Method = method },
        };

    public static LiquidationFill Row(
        double second, string user, decimal usd, decimal price = 100, string coin = "ETH",
        LiquidationMethod method = LiquidationMethod.Market, long tid = 0, string? hash = null) => new(
        coin, tid == 0 ? HashCode.Combine(second, user, usd, price, coin) : tid, user, ManualClock.Noon.AddSeconds(second), method,
        LiquidationSide.Long, price, usd / price, usd, Maker, hash, Maker, LiquidationCoverage.HlpSample);

    public static IReadOnlyList<LiquidationPattern> Patterns(IEnumerable<LiquidationFill> rows, params PriceSample[] prices) =>
        LiquidationSearch.Find(LiquidationGrouping.Group(rows), prices, NoFundings, LiquidationThresholds.Default);

    public static readonly IReadOnlyDictionary<string, Funding> NoFundings = new Dictionary<string, Funding>();
}
