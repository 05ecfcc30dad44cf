using Monitoring.Data.Configuration;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Subjects;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>How often the monitor <c>oracle</c> looks, where its references are (null: off), and the thresholds of its rules.</summary>
internal sealed record OracleOptions(
    TimeSpan Interval, Uri? BinanceUrl, Uri? CoinbaseUrl, Uri? PythUrl, Uri? KrakenUrl, Uri? OkxUrl, string? PythKey,
    OracleThresholds Thresholds)
{
    /// <summary>How often it looks.</summary>
    public static readonly IntervalSetting IntervalSetting =
        new("Monitors:Oracle:Interval", "ORACLE_CHECK_INTERVAL", "--oracle-interval", "the oracle prices", 60);

    /// <summary>Reads the monitor's settings.</summary>
    public static OracleOptions Read(SettingsReader settings) => new(
        IntervalSetting.Read(settings),
        settings.OptionalBaseAddress("Venues:Binance:Url", "BINANCE_API_URL", "https://api.binance.com"),
        settings.OptionalBaseAddress("Venues:Coinbase:Url", "COINBASE_API_URL", "https://api.exchange.coinbase.com"),
        settings.OptionalBaseAddress("Venues:Pyth:Url", "PYTH_API_URL", "https://hermes.pyth.network"),
        settings.OptionalBaseAddress("Venues:Kraken:Url", "KRAKEN_API_URL", "https://api.kraken.com"),
        settings.OptionalBaseAddress("Venues:Okx:Url", "OKX_API_URL", "https://www.okx.com"),
        settings.Secret("Venues:Pyth:Key", "PYTH_API_KEY", "the key that the operator of PYTH_API_URL gave, if it wants one"),
        OracleThresholds.Read(settings));
}

/// <summary>
/// Thresholds, inclusive. An asset that trades less than <paramref name="LiquidUsd"/> a day is thin; while it has no
/// floor of its own, less than <paramref name="ThinPct"/> may be ordinary for it.
/// </summary>
internal sealed record OracleThresholds(
    decimal HighPct, decimal CriticalPct, decimal FloorFactor, int FloorSamples, decimal ThinPct, int DangerousSeconds, decimal LiquidUsd,
    decimal CommonShiftPct, int CommonAssets)
{
    /// <summary>References that must be fresh before the oracle can be called wrong.</summary>
    public const int MinReferences = 2;

    /// <summary>The defaults.</summary>
    public static readonly OracleThresholds Default = Read(new SettingsReader(new ConfigurationBuilder().Build()));

    /// <summary>Reads <c>Rules:oracle.…</c>; a critical threshold below the high one is refused.</summary>
    public static OracleThresholds Read(SettingsReader settings)
    {
        var read = new OracleThresholds(
            settings.Number(OracleRuleSet.HighPct, 0.01m, 100),
            settings.Number(OracleRuleSet.CriticalPct, 0.01m, 100),
            settings.Number(OracleRuleSet.FloorFactor, 0, 100),
            settings.Whole(OracleRuleSet.FloorSamples, 1, 1440),
            settings.Number(OracleRuleSet.ThinPct, 0, 100),
            settings.Whole(OracleRuleSet.DangerousSeconds, 0, 86400),
            settings.Number(OracleRuleSet.LiquidUsd, 0, 1_000_000_000_000),
            settings.Number(OracleRuleSet.CommonShiftPct, 0.01m, 100),
            settings.Whole(OracleRuleSet.CommonAssets, 2, 1000));
        settings.RefuseUnlessInOrder(OracleRuleSet.HighPct, read.HighPct, OracleRuleSet.CriticalPct, read.CriticalPct);
        return read;
    }
}
