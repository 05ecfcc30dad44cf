using Monitoring.Data.Configuration;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Subjects;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// Which accounts the monitor <c>liquidations</c> follows besides the vault's components, how often, and the thresholds of its rules.
/// </summary>
internal sealed record LiquidationOptions(IReadOnlyList<string> MonitoredAddresses, TimeSpan Interval, LiquidationThresholds Thresholds)
{
    private const int MostAddresses = 50;

    /// <summary>
    /// So long after the last liquidation of a pattern something may be learnt that makes it an event or a worse one: a price that comes
    /// back, a volume, who funded an account.
    /// </summary>
    public TimeSpan LearnsFor => Interval + (Thresholds.ManipulationWindow > Thresholds.CascadeWindow
        ? Thresholds.ManipulationWindow : Thresholds.CascadeWindow);

    /// <summary>How often it looks.</summary>
    public static readonly IntervalSetting IntervalSetting =
        new("Monitors:Liquidations:Interval", "LIQUIDATION_CHECK_INTERVAL", "--liquidation-interval", "liquidations", 180);

    /// <summary>Reads the monitor's settings.</summary>
    public static LiquidationOptions Read(SettingsReader settings) => new(
        settings.Addresses("Monitors:Liquidations:Addresses", "MONITORED_ADDRESSES", MostAddresses),
        IntervalSetting.Read(settings),
        LiquidationThresholds.Read(settings));
}

/// <summary>Thresholds, all inclusive; shares and impacts in percent.</summary>
internal sealed record LiquidationThresholds(
    decimal EventScore, decimal FlashLoanUsd, TimeSpan FlashLoanWindow, decimal FlashLoanVolumePct, int CascadeVictims,
    TimeSpan CascadeWindow, decimal CascadeDirectionPct, int CoordinatedTimes, decimal CoordinatedUsd, decimal ManipulationImpactPct,
    decimal ManipulationRecoveryPct, TimeSpan ManipulationWindow, TimeSpan FundedWithin, int MarketWideCoins, TimeSpan MarketWideWindow)
{
    private const decimal Billion = 1_000_000_000;

    /// <summary>The defaults.</summary>
    public static readonly LiquidationThresholds Default = Read(new SettingsReader(new ConfigurationBuilder().Build()));

    /// <summary>Reads <c>Rules:liquidation.…</c>.</summary>
    public static LiquidationThresholds Read(SettingsReader settings) => new(
        settings.Number(LiquidationRuleSet.EventScore, 0, 100),
        settings.Number(LiquidationRuleSet.FlashLoanUsd, 1, Billion),
        settings.Seconds(LiquidationRuleSet.FlashLoanWindow, 1, 300),
        settings.Number(LiquidationRuleSet.FlashLoanVolumePct, 0.001m, 100),
        settings.Whole(LiquidationRuleSet.CascadeVictims, 2, 1000),
        settings.Seconds(LiquidationRuleSet.CascadeWindow, 1, 1800),
        settings.Number(LiquidationRuleSet.CascadeDirectionPct, 50, 100),
        settings.Whole(LiquidationRuleSet.CoordinatedTimes, 2, 1000),
        settings.Number(LiquidationRuleSet.CoordinatedUsd, 1, Billion),
        settings.Number(LiquidationRuleSet.ManipulationImpactPct, 0.1m, 100),
        settings.Number(LiquidationRuleSet.ManipulationRecoveryPct, 1, 100),
        settings.Seconds(LiquidationRuleSet.ManipulationWindow, 1, 3600),
        settings.Seconds(LiquidationRuleSet.FundedWithin, 1, 86400),
        settings.Whole(LiquidationRuleSet.MarketWideCoins, 2, 1000),
        settings.Seconds(LiquidationRuleSet.MarketWideWindow, 1, 1800));
}
