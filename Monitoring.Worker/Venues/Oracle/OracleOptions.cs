using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>How often the monitor <c>oracle</c> looks, where its references are (null: off), and the thresholds of its rules (CONTRACT §5).</summary>
internal sealed record OracleOptions(
    TimeSpan Interval, Uri? BinanceUrl, Uri? CoinbaseUrl, Uri? PythUrl, Uri? KrakenUrl, Uri? OkxUrl, string? PythKey, OracleThresholds Thresholds)
{
    /// <summary>Reads the monitor's settings.</summary>
    public static OracleOptions Read(SettingsReader settings) => new(
        settings.Seconds("Monitors:Oracle:Interval", "ORACLE_CHECK_INTERVAL", 60, 1, 86400),
        settings.OptionalBaseAddress("Venues:Binance:Url", "BINANCE_API_URL", "https://api.binance.com"),
        settings.OptionalBaseAddress("Venues:Coinbase:Url", "COINBASE_API_URL", "https://api.exchange.coinbase.com"),
        settings.OptionalBaseAddress("Venues:Pyth:Url", "PYTH_API_URL", "https://hermes.pyth.network"),
        settings.OptionalBaseAddress("Venues:Kraken:Url", "KRAKEN_API_URL", "https://api.kraken.com"),
        settings.OptionalBaseAddress("Venues:Okx:Url", "OKX_API_URL", "https://www.okx.com"),
        settings.Secret("Venues:Pyth:Key", "PYTH_API_KEY", "the key that the operator of PYTH_API_URL gave, if it wants one"),
        OracleThresholds.Read(settings));
}

/// <summary>
/// Thresholds, inclusive. An asset that trades less than <paramref name="LiquidUsd"/> a day is thin; while it has no floor of its own, less than
/// <paramref name="ThinPct"/> may be ordinary for it.
/// </summary>
internal sealed record OracleThresholds(
    decimal HighPct, decimal CriticalPct, decimal FloorFactor, int FloorSamples, decimal ThinPct, int DangerousSeconds, decimal LiquidUsd,
    decimal CommonShiftPct, int CommonAssets)
{
    /// <summary>References that must be fresh before the oracle can be called wrong.</summary>
    public const int MinReferences = 2;

    /// <summary>The thresholds as the contract gives them.</summary>
    public static readonly OracleThresholds Default = new(0.5m, 1, 3, 500, 5, 30, 5_000_000, 0.5m, 3);

    /// <summary>Reads <c>Rules:oracle.…</c>; a critical threshold below the high one is refused.</summary>
    public static OracleThresholds Read(SettingsReader settings)
    {
        var read = new OracleThresholds(
            settings.Number("Rules:oracle.deviation:HighPct", Default.HighPct, 0.01m, 100),
            settings.Number("Rules:oracle.deviation:CriticalPct", Default.CriticalPct, 0.01m, 100),
            settings.Number("Rules:oracle.deviation:FloorFactor", Default.FloorFactor, 0, 100),
            settings.Whole("Rules:oracle.deviation:FloorSamples", null, Default.FloorSamples, 1, 1440),
            settings.Number("Rules:oracle.deviation:ThinPct", Default.ThinPct, 0, 100),
            settings.Whole("Rules:oracle.deviation:DangerousSeconds", null, Default.DangerousSeconds, 0, 86400),
            settings.Number("Rules:oracle.deviation:LiquidUsd", Default.LiquidUsd, 0, 1_000_000_000_000),
            settings.Number("Rules:oracle.common-mode:ShiftPct", Default.CommonShiftPct, 0.01m, 100),
            settings.Whole("Rules:oracle.common-mode:MinAssets", null, Default.CommonAssets, 2, 1000));
        if (read.HighPct > read.CriticalPct)
            settings.Refuse("Rules:oracle.deviation:CriticalPct",
                $"{read.CriticalPct} is below Rules:oracle.deviation:HighPct ({read.HighPct}); the higher severity needs the higher threshold");
        return read;
    }
}
