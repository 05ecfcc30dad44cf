using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>What the monitor <c>hlp-vault</c> watches, how often, and the thresholds of its rules (CONTRACT §5).</summary>
internal sealed record HlpVaultOptions(string VaultAddress, TimeSpan Interval, HlpVaultThresholds Thresholds)
{
    /// <summary>Reads the monitor's settings.</summary>
    public static HlpVaultOptions Read(SettingsReader settings) => new(
        settings.Address("Monitors:HlpVault:Address", "HLP_VAULT_ADDRESS", "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"),
        settings.Seconds("Monitors:HlpVault:Interval", "HLP_CHECK_INTERVAL", 300, 1, 86400),
        HlpVaultThresholds.Read(settings));
}

/// <summary>Thresholds, inclusive unless the name says above. Losses are positive numbers.</summary>
internal sealed record HlpVaultThresholds(
    decimal LossHighUsd, decimal LossHighPct, decimal LossCriticalUsd, decimal LossCriticalPct,
    decimal DrawdownHighPct, decimal SigmaMedium, decimal SigmaHighAbove, decimal AnomalyHigh, decimal AnomalyCritical)
{
    private const decimal Billion = 1_000_000_000;

    /// <summary>The thresholds as the contract gives them.</summary>
    public static readonly HlpVaultThresholds Default = new(1_000_000, 0.2m, 2_000_000, 0.4m, 10, 3, 4, 50, 70);

    /// <summary>Reads <c>Rules:hlp.…</c>; a critical threshold below the high one is refused.</summary>
    public static HlpVaultThresholds Read(SettingsReader settings)
    {
        var read = new HlpVaultThresholds(
            settings.Number("Rules:hlp.loss:HighUsd", Default.LossHighUsd, 0, Billion),
            settings.Number("Rules:hlp.loss:HighPct", Default.LossHighPct, 0, 100),
            settings.Number("Rules:hlp.loss:CriticalUsd", Default.LossCriticalUsd, 0, Billion),
            settings.Number("Rules:hlp.loss:CriticalPct", Default.LossCriticalPct, 0, 100),
            settings.Number("Rules:hlp.drawdown:HighPct", Default.DrawdownHighPct, 0, 100),
            settings.Number("Rules:hlp.sigma:Medium", Default.SigmaMedium, 0, 1000),
            settings.Number("Rules:hlp.sigma:HighAbove", Default.SigmaHighAbove, 0, 1000),
            settings.Number("Rules:hlp.anomaly:High", Default.AnomalyHigh, 0, 100),
            settings.Number("Rules:hlp.anomaly:Critical", Default.AnomalyCritical, 0, 100));

        void Order(decimal lower, string lowerName, decimal upper, string upperName)
        {
            if (lower > upper)
                settings.Refuse(upperName, $"{upper} is below {lowerName} ({lower}); the higher severity needs the higher threshold");
        }

        Order(read.LossHighUsd, "Rules:hlp.loss:HighUsd", read.LossCriticalUsd, "Rules:hlp.loss:CriticalUsd");
        Order(read.LossHighPct, "Rules:hlp.loss:HighPct", read.LossCriticalPct, "Rules:hlp.loss:CriticalPct");
        Order(read.SigmaMedium, "Rules:hlp.sigma:Medium", read.SigmaHighAbove, "Rules:hlp.sigma:HighAbove");
        Order(read.AnomalyHigh, "Rules:hlp.anomaly:High", read.AnomalyCritical, "Rules:hlp.anomaly:Critical");
        return read;
    }
}
