using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>
/// The rules of the monitor <c>hlp-vault</c>: pure functions of what was measured. docs/rules.md says what each one means.
/// </summary>
internal static class HlpVaultRules
{
    private const decimal MostGainPct = 50; // of the larger of the two account values, so it has doubled

    /// <summary>Every finding of one check, at most one per rule; the vault is the subject.</summary>
    public static IReadOnlyList<Finding> Evaluate(HlpVaultSnapshot snapshot, HlpVaultMeasures measures, HlpVaultThresholds thresholds) =>
        [.. new[]
        {
            FindLoss(snapshot, measures, thresholds), FindDrawdown(snapshot, measures, thresholds),
            FindSigma(snapshot, measures, thresholds), FindOutflow(snapshot, measures, thresholds),
            FindAnomaly(snapshot, measures, thresholds),
        }.OfType<Finding>()];

    /// <summary>
    /// The fingerprints that these measures cannot judge: without enough history there is no z-score, and without anything at a window's
    /// start no share of it; in doubt about the venue's figures, or where they say that the vault has more than doubled in a day,
    /// nothing is over.
    /// </summary>
    public static IReadOnlyList<string> Unjudged(HlpVaultSnapshot snapshot, HlpVaultMeasures measures, bool inDoubt) =>
        inDoubt || measures.Pnl24h.PctOfCapital >= MostGainPct
            ? [.. HlpVaultRuleSet.All.Select(rule => rule.FingerprintOf(snapshot.VaultAddress))]
            :
            [
                .. measures.Hourly is null ? (string[])[HlpVaultRuleSet.Sigma.FingerprintOf(snapshot.VaultAddress)] : [],
                .. measures.Pnl1h.PctWithdrawn is null || measures.Pnl24h.PctWithdrawn is null
                    ? (string[])[HlpVaultRuleSet.Outflow.FingerprintOf(snapshot.VaultAddress)] : [],
            ];

    /// <summary>The value of every rule's measure, as far as it could be measured, by fingerprint.</summary>
    public static IReadOnlyDictionary<string, decimal> Measure(HlpVaultSnapshot snapshot, HlpVaultMeasures measures) =>
        new (Rule Rule, decimal? Value)[]
        {
            (HlpVaultRuleSet.Loss, Math.Min(measures.Pnl1h.Pnl, measures.Pnl24h.Pnl)),
            (HlpVaultRuleSet.Drawdown, measures.DrawdownPct), (HlpVaultRuleSet.Sigma, measures.Hourly?.ZScore),
            (HlpVaultRuleSet.Outflow, measures.Pnl1h.PctWithdrawn is { } hour && measures.Pnl24h.PctWithdrawn is { } day
                ? Math.Max(0, Math.Max(hour, day)) : null),
            (HlpVaultRuleSet.Anomaly, measures.Anomaly.Total),
        }.Where(one => one.Value is not null)
            .ToDictionary(one => one.Rule.FingerprintOf(snapshot.VaultAddress), one => Round(one.Value)!.Value);

    private static Finding? FindLoss(HlpVaultSnapshot snapshot, HlpVaultMeasures measures, HlpVaultThresholds limits)
    {
        var windows = new[] { (Name: "1 h", Key: "1h", Window: measures.Pnl1h), (Name: "24 h", Key: "24h", Window: measures.Pnl24h) };
        var judged = windows.Select(w => (w.Name, w.Key, w.Window, Severity: JudgeLoss(w.Window, limits))).ToList();
        var worst = judged.OrderByDescending(w => w.Severity ?? (Severity)(-1)).ThenBy(w => w.Window.Pnl).First();
        if (worst.Severity is not { } severity)
            return null;

        var evidence = new Evidence(
            new JsonObject
            {
                ["pnl_usd"] = worst.Window.Pnl, ["pnl_1h_usd"] = measures.Pnl1h.Pnl, ["pnl_1h_pct"] = Round(measures.Pnl1h.PctOfCapital),
                ["pnl_1h_since"] = Utc(measures.Pnl1h.Since), ["pnl_24h_usd"] = measures.Pnl24h.Pnl,
                ["pnl_24h_pct"] = Round(measures.Pnl24h.PctOfCapital), ["pnl_24h_since"] = Utc(measures.Pnl24h.Since),
                ["account_value_usd"] = snapshot.AccountValue,
            },
            new JsonObject
            {
                ["high_usd"] = -limits.LossHighUsd, ["high_pct"] = -limits.LossHighPct,
                ["critical_usd"] = -limits.LossCriticalUsd, ["critical_pct"] = -limits.LossCriticalPct,
            },
            [.. judged.Select(w =>
                $"PnL of {w.Name} = {w.Window.Pnl:0.00} USD, {Pct(w.Window.PctOfCapital)} of {w.Window.Capital:0.00} USD capital: "
                + (w.Severity is null
                    ? "below both thresholds of high"
                    : $"reaches both thresholds of {w.Severity.ToString()!.ToLowerInvariant()}"))]);
        var loss = -worst.Window.Pnl;
        return Create(snapshot, HlpVaultRuleSet.Loss, severity,
            $"HLP vault lost {Millions(loss)} USD in {worst.Name} ({Pct(worst.Window.PctOfCapital)} of capital)",
            $"PnL of the vault since {worst.Window.Since:yyyy-MM-dd HH:mm:ss}Z is {worst.Window.Pnl:0.00} USD with an account value of "
            + $"{snapshot.AccountValue:0.00} USD. Deposits and withdrawals are not part of this figure.", evidence, loss,
            severity == Severity.Critical ? -limits.LossCriticalUsd : -limits.LossHighUsd);
    }

    // Both conditions, amount and share. Without capital any share is exceeded.
    private static Severity? JudgeLoss(PnlWindow window, HlpVaultThresholds limits)
    {
        bool Reaches(decimal usd, decimal pct) => window.Pnl <= -usd && (window.PctOfCapital is not { } share || share <= -pct);
        return Reaches(limits.LossCriticalUsd, limits.LossCriticalPct) ? Severity.Critical
            : Reaches(limits.LossHighUsd, limits.LossHighPct) ? Severity.High
            : null;
    }

    private static Finding? FindDrawdown(HlpVaultSnapshot snapshot, HlpVaultMeasures measures, HlpVaultThresholds limits)
    {
        if (measures.DrawdownPct < limits.DrawdownHighPct)
            return null;
        var evidence = new Evidence(
            new JsonObject
            {
                ["drawdown_pct"] = Round(measures.DrawdownPct), ["max_drawdown_pct"] = Round(measures.MaxDrawdownPct),
                ["account_value_usd"] = snapshot.AccountValue,
            },
            new JsonObject { ["high_pct"] = limits.DrawdownHighPct },
            [$"fall of flow-adjusted equity from its 30-day peak = {measures.DrawdownPct:0.####} % >= {limits.DrawdownHighPct} %: high"]);
        return Create(snapshot, HlpVaultRuleSet.Drawdown, Severity.High,
            $"HLP vault is {measures.DrawdownPct:0.00} % below its 30-day peak",
            "Equity without deposits and withdrawals fell this far from its highest point of the last 30 days.", evidence,
            estimatedLoss: snapshot.AccountValue > 0 && measures.DrawdownPct < 100
                ? decimal.Round(snapshot.AccountValue * measures.DrawdownPct / (100 - measures.DrawdownPct), 2) : null,
            limits.DrawdownHighPct);
    }

    private static Finding? FindSigma(HlpVaultSnapshot snapshot, HlpVaultMeasures measures, HlpVaultThresholds limits)
    {
        if (measures.Hourly is not { } hourly || JudgeSigma(hourly.ZScore, limits) is not var (severity, threshold, compared))
            return null;
        var evidence = new Evidence(
            new JsonObject
            {
                ["z_score"] = hourly.ZScore, ["pnl_1h_usd"] = measures.Pnl1h.Pnl, ["median_usd"] = Round(hourly.Median),
                ["mad_usd"] = Round(hourly.Mad), ["samples"] = hourly.Samples, ["covered_hours"] = hourly.CoveredHours,
            },
            new JsonObject { ["low"] = limits.SigmaLow, ["medium"] = limits.SigmaMedium, ["high_above"] = limits.SigmaHighAbove },
            [
                $"z = ({measures.Pnl1h.Pnl:0.00} - {hourly.Median:0.00}) / (1.4826 * {hourly.Mad:0.00}) = {hourly.ZScore}",
                $"z = {hourly.ZScore} {compared}",
            ]);
        return Create(snapshot, HlpVaultRuleSet.Sigma, severity,
            $"HLP vault's hour is {Math.Abs(hourly.ZScore):0.0} deviations {(hourly.ZScore < 0 ? "below" : "above")} normal",
            $"The PnL of the last hour, {measures.Pnl1h.Pnl:0.00} USD, is unusual against {hourly.Samples} changes over "
            + $"{hourly.CoveredHours:0} earlier hours.", evidence, estimatedLoss: null, threshold);
    }

    // A gain is unusual, and no alarm.
    private static (Severity Severity, decimal Threshold, string Compared)? JudgeSigma(decimal z, HlpVaultThresholds limits) =>
        z < -limits.SigmaHighAbove ? (Severity.High, -limits.SigmaHighAbove, $"< -{limits.SigmaHighAbove}: high")
        : z <= -limits.SigmaMedium ? (Severity.Medium, -limits.SigmaMedium, $"<= -{limits.SigmaMedium}: medium")
        : z >= limits.SigmaLow ? (Severity.Low, limits.SigmaLow, $">= {limits.SigmaLow}: low")
        : null;

    private static Finding? FindOutflow(HlpVaultSnapshot snapshot, HlpVaultMeasures measures, HlpVaultThresholds limits)
    {
        var judged = new[]
        {
            (Name: "1 h", Window: measures.Pnl1h, Severity: JudgeOutflow(measures.Pnl1h, limits.HourOutflow), Steps: limits.HourOutflow),
            (Name: "24 h", Window: measures.Pnl24h, Severity: JudgeOutflow(measures.Pnl24h, limits.DayOutflow), Steps: limits.DayOutflow),
        };
        var worst = judged.OrderByDescending(w => w.Severity ?? (Severity)(-1)).ThenByDescending(w => w.Window.PctWithdrawn).First();
        if (worst.Severity is not { } severity)
            return null;

        var evidence = new Evidence(
            new JsonObject
            {
                ["withdrawn_pct"] = Round(worst.Window.PctWithdrawn),
                ["withdrawn_1h_usd"] = Round(measures.Pnl1h.Withdrawn), ["withdrawn_1h_pct"] = Round(measures.Pnl1h.PctWithdrawn),
                ["start_1h_at"] = Milliseconds(measures.Pnl1h.Since), ["start_1h_usd"] = measures.Pnl1h.StartValue,
                ["withdrawn_24h_usd"] = Round(measures.Pnl24h.Withdrawn), ["withdrawn_24h_pct"] = Round(measures.Pnl24h.PctWithdrawn),
                ["start_24h_at"] = Milliseconds(measures.Pnl24h.Since), ["start_24h_usd"] = measures.Pnl24h.StartValue,
                ["account_value_usd"] = snapshot.AccountValue,
            },
            new JsonObject
            {
                ["hour_medium_pct"] = limits.HourOutflow.MediumPct, ["hour_high_pct"] = limits.HourOutflow.HighPct,
                ["hour_critical_pct"] = limits.HourOutflow.CriticalPct, ["day_medium_pct"] = limits.DayOutflow.MediumPct,
                ["day_high_pct"] = limits.DayOutflow.HighPct, ["day_critical_pct"] = limits.DayOutflow.CriticalPct,
            },
            [.. judged.Select(w =>
                $"net withdrawals of {w.Name} = 100 * ({w.Window.Pnl:0.00} - ({w.Window.EndValue:0.00} - {w.Window.StartValue:0.00})) / "
                + $"{w.Window.StartValue:0.00} = {Pct(w.Window.PctWithdrawn)}: "
                + (w.Window.PctWithdrawn is null ? "not judged" : w.Severity is { } reached
                    ? $"reaches {reached.ToString().ToLowerInvariant()}" : $"< {w.Steps.MediumPct} %"))]);
        return Create(snapshot, HlpVaultRuleSet.Outflow, severity,
            $"Depositors withdrew {Millions(worst.Window.Withdrawn)} USD net from the HLP vault in {worst.Name} "
            + $"({Pct(worst.Window.PctWithdrawn)} of what was there)",
            $"Since {worst.Window.Since:yyyy-MM-dd HH:mm:ss}Z the account value went from {worst.Window.StartValue:0.00} to "
            + $"{worst.Window.EndValue:0.00} USD with a PnL of {worst.Window.Pnl:0.00} USD: the rest was withdrawn, which is no loss.",
            evidence, estimatedLoss: null, worst.Steps.Of(severity));
    }

    private static Severity? JudgeOutflow(PnlWindow window, OutflowThresholds limits) => window.PctWithdrawn is not { } share ? null
        : share >= limits.CriticalPct ? Severity.Critical
        : share >= limits.HighPct ? Severity.High
        : share >= limits.MediumPct ? Severity.Medium
        : null;

    private static Finding? FindAnomaly(HlpVaultSnapshot snapshot, HlpVaultMeasures measures, HlpVaultThresholds limits)
    {
        var score = measures.Anomaly;
        var severity = score.Total >= limits.AnomalyCritical ? Severity.Critical
            : score.Total >= limits.AnomalyHigh ? Severity.High
            : snapshot.HealthIssues.Length > 0 ? Severity.Medium
            : (Severity?)null;
        if (severity is null)
            return null;

        var evidence = new Evidence(
            new JsonObject
            {
                ["anomaly_score"] = score.Total, ["loss_score"] = score.Loss, ["drawdown_score"] = score.Drawdown,
                ["volatility_score"] = score.Volatility, ["pnl_24h_usd"] = measures.Pnl24h.Pnl,
                ["drawdown_pct"] = Round(measures.DrawdownPct),
                ["health_issues"] = new JsonArray([.. snapshot.HealthIssues.Select(issue => JsonValue.Create(issue))]),
            },
            new JsonObject { ["critical"] = limits.AnomalyCritical, ["high"] = limits.AnomalyHigh },
            [
                $"loss part = min(40, 40 * {Math.Max(0, -measures.Pnl24h.Pnl):0.00} / 2000000) = {score.Loss}",
                $"drawdown part = min(30, 30 * {measures.DrawdownPct:0.####} / 10) = {score.Drawdown}",
                $"volatility part = min(30, 30 * |{measures.Pnl24h.Pnl:0.00}| / (2 * mean of the last ten)) = {score.Volatility}",
                $"anomaly score = {score.Total}: {severity.ToString()!.ToLowerInvariant()}",
                .. snapshot.HealthIssues.Select(issue => $"health issue: {issue}"),
            ]);
        return Create(snapshot, HlpVaultRuleSet.Anomaly, severity.Value,
            severity == Severity.Medium
                ? $"HLP vault has a health issue: {snapshot.HealthIssues[0]}"
                : $"HLP vault's anomaly score is {score.Total:0.0} of 100",
            $"Parts: loss {score.Loss:0.0} of 40, drawdown {score.Drawdown:0.0} of 30, volatility {score.Volatility:0.0} of 30.",
            evidence, estimatedLoss: measures.Pnl24h.Pnl < 0 ? -measures.Pnl24h.Pnl : null,
            severity switch { Severity.Critical => limits.AnomalyCritical, Severity.High => limits.AnomalyHigh, _ => null });
    }

    private static Finding Create(
        HlpVaultSnapshot snapshot, Rule rule, Severity severity, string title, string description, Evidence evidence,
        decimal? estimatedLoss, decimal? threshold) =>
        rule.Find(
            severity, new EventSubject("vault", snapshot.VaultAddress), title, description, evidence,
            [snapshot.VaultAddress], estimatedLoss, threshold);

    private static decimal? Round(decimal? value) => value is { } number ? decimal.Round(number, 6) : null;

    private static string Utc(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    // As the venue states time: it finds the snapshot that the window starts with.
    private static string Milliseconds(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    private static string Pct(decimal? value) => value is { } number ? $"{number:0.00} %" : "an unknown share";

    private static string Millions(decimal usd) => usd >= 1_000_000 ? $"{usd / 1_000_000:0.00} M" : $"{usd:0}";
}
