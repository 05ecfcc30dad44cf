using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.References;

/// <summary>
/// What the sources' books say now: the scenario's prices, each source a little beside them so that no book ever stands still.
/// </summary>
internal sealed class ReferenceMarket(Venue venue)
{
    private const decimal Jitter = 0.0001m;
    private const decimal HalfSpread = 0.00005m;

    // Coins of the venue that are a thousand of what the sources trade.
    private static readonly string[] Thousands = ["kPEPE", "kSHIB", "kBONK", "kFLOKI", "kLUNC", "kNEIRO", "kDOGS"];

    /// <summary>The names that the sources know, and the venue's coin of each.</summary>
    public IReadOnlyDictionary<string, string> CoinByTicker { get; } = venue.Scenario.Prices.Keys.ToDictionary(
        coin => Thousands.Contains(coin, StringComparer.Ordinal) ? coin[1..] : coin, StringComparer.Ordinal);

    /// <summary>Now, in seconds of the Unix epoch.</summary>
    public long UnixSeconds => venue.Now.UnixMilliseconds / 1000;

    /// <summary>Now, in milliseconds of the Unix epoch.</summary>
    public long UnixMilliseconds => venue.Now.UnixMilliseconds;

    /// <summary>A coin's price in USDT.</summary>
    public decimal InUsdt(string source, string ticker)
    {
        var coin = CoinByTicker[ticker];
        var now = venue.Now.Seconds;
        var price = venue.Prices[coin].At(now) * (1 + (Jitter * ((2 * OracleBook.Draw(venue.Scenario.Seed, source + coin, now)) - 1)));
        return decimal.Round(coin == ticker ? price : price / 1000, 10);
    }

    /// <summary>A coin's price in USD; that of USDT itself too.</summary>
    public decimal InUsd(string source, string ticker)
    {
        var rate = venue.Oracles.UsdtInUsd.At(venue.Now.Seconds);
        return ticker == "USDT" ? rate : decimal.Round(InUsdt(source, ticker) * rate, 10);
    }

    /// <summary>The best offers around a price.</summary>
    public static (decimal Bid, decimal Ask) Book(decimal price) =>
        (decimal.Round(price * (1 - HalfSpread), 10), decimal.Round(price * (1 + HalfSpread), 10));
}
