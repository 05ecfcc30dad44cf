using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Which accounts the monitor <c>liquidations</c> follows besides the vault's components, how often, and the thresholds of its rules (CONTRACT §5).</summary>
internal sealed record LiquidationOptions(IReadOnlyList<string> MonitoredAddresses, TimeSpan Interval, LiquidationThresholds Thresholds)
{
    private const int MostAddresses = 50;

    /// <summary>Reads the monitor's settings.</summary>
    public static LiquidationOptions Read(SettingsReader settings) => new(
        settings.Addresses("Monitors:Liquidations:Addresses", "MONITORED_ADDRESSES", MostAddresses),
        settings.Seconds("Monitors:Liquidations:Interval", "LIQUIDATION_CHECK_INTERVAL", 180, 1, 86400),
        LiquidationThresholds.Read(settings));
}

/// <summary>Thresholds, all inclusive; shares and impacts in percent.</summary>
internal sealed record LiquidationThresholds(
    decimal EventScore, decimal FlashLoanUsd, TimeSpan FlashLoanWindow, int CascadeVictims, TimeSpan CascadeWindow, decimal CascadeDirectionPct,
    int CoordinatedTimes, decimal CoordinatedUsd, decimal ManipulationImpactPct, decimal ManipulationRecoveryPct, TimeSpan ManipulationWindow,
    TimeSpan FundedWithin)
{
    private const decimal Billion = 1_000_000_000;

    /// <summary>The thresholds as the contract gives them.</summary>
    public static readonly LiquidationThresholds Default = new(
        50, 500_000, TimeSpan.FromSeconds(10), 5, TimeSpan.FromMinutes(5), 70, 3, 1_000_000, 2, 50, TimeSpan.FromMinutes(30), TimeSpan.FromHours(1));

    /// <summary>Reads <c>Rules:liquidation.…</c>.</summary>
    public static LiquidationThresholds Read(SettingsReader settings) => new(
        settings.Number("Rules:liquidation.patterns:EventScore", Default.EventScore, 0, 100),
        settings.Number("Rules:liquidation.flash-loan:Usd", Default.FlashLoanUsd, 1, Billion),
        settings.Seconds("Rules:liquidation.flash-loan:WindowSeconds", null, (int)Default.FlashLoanWindow.TotalSeconds, 1, 300),
        settings.Whole("Rules:liquidation.cascade:Victims", null, Default.CascadeVictims, 2, 1000),
        settings.Seconds("Rules:liquidation.cascade:WindowSeconds", null, (int)Default.CascadeWindow.TotalSeconds, 1, 1800),
        settings.Number("Rules:liquidation.cascade:DirectionPct", Default.CascadeDirectionPct, 50, 100),
        settings.Whole("Rules:liquidation.coordinated:Times", null, Default.CoordinatedTimes, 2, 1000),
        settings.Number("Rules:liquidation.coordinated:Usd", Default.CoordinatedUsd, 1, Billion),
        settings.Number("Rules:liquidation.manipulation:ImpactPct", Default.ManipulationImpactPct, 0.1m, 100),
        settings.Number("Rules:liquidation.manipulation:RecoveryPct", Default.ManipulationRecoveryPct, 1, 100),
        settings.Seconds("Rules:liquidation.manipulation:WindowSeconds", null, (int)Default.ManipulationWindow.TotalSeconds, 1, 3600),
        settings.Seconds("Rules:liquidation.coordinated:FundedWithinSeconds", null, (int)Default.FundedWithin.TotalSeconds, 1, 86400));
}
