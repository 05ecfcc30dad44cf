namespace Monitoring.Simulator.Model;

/// <summary>What the venue's oracle makes of each market price, and what a USDT is worth in USD. Market prices are in USDT.</summary>
internal sealed class OracleBook
{
    private const int Digits = 8;

    private readonly PriceBook _prices;
    private readonly Dictionary<string, Curve> _factors;
    private readonly Dictionary<string, NoiseMove> _noise;
    private readonly long _seed;

    public OracleBook(Scenario scenario, PriceBook prices)
    {
        (_prices, _seed) = (prices, scenario.Seed);
        _factors = scenario.Prices.Keys.ToDictionary(coin => coin, _ => new Curve(1, Digits), StringComparer.Ordinal);
        _noise = scenario.Moves.Select(move => move.Noise).OfType<NoiseMove>().ToDictionary(noise => noise.Coin, StringComparer.Ordinal);
        foreach (var move in scenario.Timeline())
        {
            if (move.Oracle is { } oracle)
                _factors[oracle.Coin].MoveTo(move.At, move.Over, oracle.Factor);
            if (move.Usdt is { } usdt)
                UsdtInUsd.MoveTo(move.At, move.Over, usdt.To);
        }
    }

    /// <summary>What a USDT is worth in USD.</summary>
    public Curve UsdtInUsd { get; } = new(1, Digits);

    /// <summary>Coins with noise are thin: little of them is traded.</summary>
    public bool IsThin(string coin) => _noise.ContainsKey(coin);

    /// <summary>The venue's oracle price of a coin.</summary>
    public decimal At(string coin, decimal time)
    {
        var noise = _noise.GetValueOrDefault(coin) is { } thin ? thin.Pct / 100 * (1 - (0.1m * Draw(_seed, coin, time))) : 0;
        return decimal.Round(_prices[coin].At(time) * _factors[coin].At(time) * (1 + noise), Digits);
    }

    /// <summary>An even number from 0 to 1 that is another in every second; the same seed, name and second give the same.</summary>
    public static decimal Draw(long seed, string name, decimal time)
    {
        var x = unchecked((ulong)seed + ((ulong)(long)decimal.Floor(time) * 0x9E3779B97F4A7C15));
        foreach (var letter in name)
            x = unchecked((x ^ letter) * 0x100000001B3);
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return (decimal)((x ^ (x >> 31)) >> 32) / uint.MaxValue;
    }
}
