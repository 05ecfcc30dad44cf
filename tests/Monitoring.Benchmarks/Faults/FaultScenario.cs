using Monitoring.Simulator.Model;

namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// What the venue does meanwhile: two liquidations a second against the HLP Liquidator, and every three seconds the oracle
/// price of one coin is wrong for four seconds, which opens a critical event and, three clean checks later, resolves it.
/// </summary>
internal static class FaultScenario
{
    /// <summary>The component that every liquidation meets.</summary>
    public const string Liquidator = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";

    private const int AttackEvery = 3;
    private const int AttackFor = 4;

    private static readonly Dictionary<string, decimal> Prices = new(StringComparer.Ordinal)
    {
        ["BTC"] = 82200, ["ETH"] = 1915, ["SOL"] = 124.5m, ["HYPE"] = 13.1m, ["XRP"] = 2.4m, ["DOGE"] = 0.17m,
        ["AVAX"] = 19.3m, ["LINK"] = 13.6m, ["SUI"] = 2.3m, ["BNB"] = 560,
    };

    public static Scenario Create(int seed, TimeSpan duration)
    {
        var seconds = (int)duration.TotalSeconds;
        var coins = Prices.Keys.ToList();
        var attacks = Enumerable.Range(0, Math.Max(1, (seconds - 12) / AttackEvery)).SelectMany(i => new[]
        {
            new Move(5 + (i * AttackEvery), Oracle: new OracleMove(coins[i % coins.Count], 1.02m)),
            new Move(5 + (i * AttackEvery) + AttackFor, Oracle: new OracleMove(coins[i % coins.Count], 1)),
        });
        var liquidations = new Move(0, Over: seconds,
            Liquidations: new LiquidationMove("ETH", seconds, 900, LiquidationKind.Market, LiquidatedSide.Long, "HLP Liquidator"));
        var backstops = new Move(0, Over: seconds,
            Liquidations: new LiquidationMove("SOL", seconds, 700, LiquidationKind.Backstop, LiquidatedSide.Short, "HLP Liquidator"));
        return new Scenario("faults", "Liquidations and oracle attacks without end.", seed, seconds,
            new VaultSetup("0xdfc24b077bc1425ad1dea75bcb6f8158e10df303", "Hyperliquidity Provider (HLP)",
                "0x677d831aef5328190852e24f13c46cac05f984e7", 451_000_000, 63_400_000, 680, 60_000),
            [
                new ComponentSetup("0x010461c14e146ac35fe42271bdc1134ee31c703a", "HLP Strategy A", 150_000_000,
                    [new PositionSetup("BTC", -64, 82310), new PositionSetup("ETH", 420, 1908)]),
                new ComponentSetup(
                    "0x31ca8395cf837de08b24da3f660e77761dfb974b", "HLP Strategy B", 180_000_000, [new PositionSetup("BTC", 58, 82040)]),
                new ComponentSetup(Liquidator, "HLP Liquidator", 20_000_000),
            ],
            Prices, [liquidations, backstops, .. attacks]);
    }
}
