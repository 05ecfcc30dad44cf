using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Oracle;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Tests.Venues;

/// <summary>Made-up oracle prices and references.</summary>
internal static class OracleSample
{
    public static readonly OracleOptions Options = new(
        TimeSpan.FromSeconds(60), null, null, null, null, null, null, OracleThresholds.Default);

    public static readonly IReferenceSource Binance = new BinanceSource(null!);
    public static readonly IReferenceSource Okx = new OkxSource(null!);
    public static readonly IReferenceSource Coinbase = new CoinbaseSource(null!, TimeProvider.System);
    public static readonly IReferenceSource Kraken = new KrakenSource(null!, TimeProvider.System, null!);

    public static AssetContext Market(decimal oracle, decimal dayVolume = 100_000_000) =>
        new() { OraclePx = oracle, MarkPx = oracle, MidPx = oracle * 2, OpenInterest = 1, DayNtlVlm = dayVolume };

    /// <summary>A source's answer of an asset's book, both sides at one price; with the price of USDT where the source has it.</summary>
    public static SourceAnswer Answer(IReferenceSource source, string asset, decimal price, decimal? usdt = null, DateTimeOffset? at = null)
    {
        var quotes = new Dictionary<string, ReferenceQuote> { [source.SymbolOf(SymbolTable.ByAsset[asset])!] = new(price, price, at) };
        if (usdt is { } rate)
            quotes[source.UsdtSymbol!] = new ReferenceQuote(rate, rate);
        return new SourceAnswer(source, quotes, at ?? ManualClock.Noon);
    }

    /// <summary>A reading against Binance and OKX, unless other prices are given.</summary>
    public static OracleReading Reading(
        decimal oracle, decimal binance = 100, decimal? okx = 100, decimal? usd = null, string asset = "BTC",
        bool liquid = true, DateTimeOffset? at = null) => new(asset, at ?? ManualClock.Noon, oracle, oracle, liquid,
        [
            new("binance", QuoteCurrency.Usdt, binance),
            .. okx is { } second ? new[] { new Reference("okx", QuoteCurrency.Usdt, second) } : [],
            .. usd is { } dollars ? new[] { new Reference("kraken", QuoteCurrency.Usd, dollars) } : [],
        ], usd, []);
}
