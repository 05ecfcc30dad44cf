using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Subjects;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>What the monitor <c>hlp-vault</c> watches, how often, and the thresholds of its rules.</summary>
internal sealed record HlpVaultOptions(string VaultAddress, TimeSpan Interval, HlpVaultThresholds Thresholds)
{
    /// <summary>How often it looks.</summary>
    public static readonly IntervalSetting IntervalSetting =
        new("Monitors:HlpVault:Interval", "HLP_CHECK_INTERVAL", "--hlp-interval", "the HLP vault", 300);

    /// <summary>Reads the monitor's settings.</summary>
    public static HlpVaultOptions Read(SettingsReader settings) => new(
        settings.Address("Monitors:HlpVault:Address", "HLP_VAULT_ADDRESS", "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"),
        IntervalSetting.Read(settings),
        HlpVaultThresholds.Read(settings));
}

/// <summary>Thresholds, inclusive unless the name says above. Losses are positive numbers.</summary>
internal sealed record HlpVaultThresholds(
    decimal LossHighUsd, decimal LossHighPct, decimal LossCriticalUsd, decimal LossCriticalPct,
    decimal DrawdownHighPct, decimal SigmaLow, decimal SigmaMedium, decimal SigmaHighAbove, decimal AnomalyHigh, decimal AnomalyCritical,
    OutflowThresholds HourOutflow, OutflowThresholds DayOutflow)
{
    private const decimal Billion = 1_000_000_000;

    /// <summary>The defaults.</summary>
    public static readonly HlpVaultThresholds Default = Read(new SettingsReader(new ConfigurationBuilder().Build()));

    /// <summary>Reads <c>Rules:hlp.…</c>; a critical threshold below the high one is refused.</summary>
    public static HlpVaultThresholds Read(SettingsReader settings)
    {
        var read = new HlpVaultThresholds(
            settings.Number(HlpVaultRuleSet.LossHighUsd, 0, Billion),
            settings.Number(HlpVaultRuleSet.LossHighPct, 0, 100),
            settings.Number(HlpVaultRuleSet.LossCriticalUsd, 0, Billion),
            settings.Number(HlpVaultRuleSet.LossCriticalPct, 0, 100),
            settings.Number(HlpVaultRuleSet.DrawdownHighPct, 0, 100),
            settings.Number(HlpVaultRuleSet.SigmaLow, 0, 1000),
            settings.Number(HlpVaultRuleSet.SigmaMedium, 0, 1000),
            settings.Number(HlpVaultRuleSet.SigmaHighAbove, 0, 1000),
            settings.Number(HlpVaultRuleSet.AnomalyHigh, 0, 100),
            settings.Number(HlpVaultRuleSet.AnomalyCritical, 0, 100),
            OutflowThresholds.Read(
                settings, HlpVaultRuleSet.OutflowHourMediumPct, HlpVaultRuleSet.OutflowHourHighPct, HlpVaultRuleSet.OutflowHourCriticalPct),
            OutflowThresholds.Read(
                settings, HlpVaultRuleSet.OutflowDayMediumPct, HlpVaultRuleSet.OutflowDayHighPct, HlpVaultRuleSet.OutflowDayCriticalPct));
        settings.RefuseUnlessInOrder(HlpVaultRuleSet.LossHighUsd, read.LossHighUsd, HlpVaultRuleSet.LossCriticalUsd, read.LossCriticalUsd);
        settings.RefuseUnlessInOrder(HlpVaultRuleSet.LossHighPct, read.LossHighPct, HlpVaultRuleSet.LossCriticalPct, read.LossCriticalPct);
        settings.RefuseUnlessInOrder(HlpVaultRuleSet.SigmaMedium, read.SigmaMedium, HlpVaultRuleSet.SigmaHighAbove, read.SigmaHighAbove);
        settings.RefuseUnlessInOrder(HlpVaultRuleSet.AnomalyHigh, read.AnomalyHigh, HlpVaultRuleSet.AnomalyCritical, read.AnomalyCritical);
        return read;
    }
}

/// <summary>Net withdrawals of one window in percent of what was there at its start, inclusive.</summary>
internal sealed record OutflowThresholds(decimal MediumPct, decimal HighPct, decimal CriticalPct)
{
    /// <summary>The threshold of a severity.</summary>
    public decimal Of(Severity severity) => severity switch
    {
        Severity.Critical => CriticalPct,
        Severity.High => HighPct,
        _ => MediumPct,
    };

    /// <summary>Reads three steps; a higher severity with a lower threshold is refused.</summary>
    public static OutflowThresholds Read(SettingsReader settings, RuleThreshold medium, RuleThreshold high, RuleThreshold critical)
    {
        var read = new OutflowThresholds(
            settings.Number(medium, 0, 1000), settings.Number(high, 0, 1000), settings.Number(critical, 0, 1000));
        settings.RefuseUnlessInOrder(medium, read.MediumPct, high, read.HighPct);
        settings.RefuseUnlessInOrder(high, read.HighPct, critical, read.CriticalPct);
        return read;
    }
}
