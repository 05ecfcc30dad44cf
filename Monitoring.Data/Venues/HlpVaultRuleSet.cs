using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>What the catalogue says of the rules of the monitor <c>hlp-vault</c>.</summary>
public static class HlpVaultRuleSet
{
    private const string Monitor = "hlp-vault";
    private const string Exploitation = "hlp_exploitation";
    private const string Unusual = "hlp_anomaly";

    public static readonly RuleThreshold LossHighUsd =
        new("high_usd", "Rules:hlp.loss:HighUsd", 1_000_000, "USD", "loss from which it is high");
    public static readonly RuleThreshold LossHighPct = new("high_pct", "Rules:hlp.loss:HighPct", 0.2m, "%", "and share of the capital");
    public static readonly RuleThreshold LossCriticalUsd =
        new("critical_usd", "Rules:hlp.loss:CriticalUsd", 2_000_000, "USD", "loss from which it is critical");
    public static readonly RuleThreshold LossCriticalPct =
        new("critical_pct", "Rules:hlp.loss:CriticalPct", 0.4m, "%", "and share of the capital");
    public static readonly RuleThreshold DrawdownHighPct =
        new("high_pct", "Rules:hlp.drawdown:HighPct", 10, "%", "fall from the 30-day peak");
    public static readonly RuleThreshold SigmaLow =
        new("low", "Rules:hlp.sigma:Low", 3, "", "deviations above normal from which it is low");
    public static readonly RuleThreshold SigmaMedium =
        new("medium", "Rules:hlp.sigma:Medium", 3, "", "deviations below normal from which it is medium");
    public static readonly RuleThreshold SigmaHighAbove =
        new("high_above", "Rules:hlp.sigma:HighAbove", 4, "", "deviations below normal above which it is high");
    public static readonly RuleThreshold AnomalyHigh = new("high", "Rules:hlp.anomaly:High", 50, "points", "score from which it is high");
    public static readonly RuleThreshold AnomalyCritical =
        new("critical", "Rules:hlp.anomaly:Critical", 70, "points", "score from which it is critical");
    public static readonly RuleThreshold OutflowHourMediumPct =
        new("hour_medium_pct", "Rules:hlp.outflow:HourMediumPct", 5, "%", "net withdrawals of 1 h from which it is medium");
    public static readonly RuleThreshold OutflowHourHighPct =
        new("hour_high_pct", "Rules:hlp.outflow:HourHighPct", 10, "%", "of 1 h from which it is high");
    public static readonly RuleThreshold OutflowHourCriticalPct =
        new("hour_critical_pct", "Rules:hlp.outflow:HourCriticalPct", 20, "%", "of 1 h from which it is critical");
    public static readonly RuleThreshold OutflowDayMediumPct =
        new("day_medium_pct", "Rules:hlp.outflow:DayMediumPct", 10, "%", "net withdrawals of 24 h from which it is medium");
    public static readonly RuleThreshold OutflowDayHighPct =
        new("day_high_pct", "Rules:hlp.outflow:DayHighPct", 20, "%", "of 24 h from which it is high");
    public static readonly RuleThreshold OutflowDayCriticalPct =
        new("day_critical_pct", "Rules:hlp.outflow:DayCriticalPct", 30, "%", "of 24 h from which it is critical");

    /// <summary>Losses within an hour or a day.</summary>
    public static readonly Rule Loss = new("hlp.loss", 1, "The HLP vault loses money", Monitor,
        "PnL over 1 h or 24 h <= -USD, and PnL / max(account value at both ends) <= -share. PnL is the all-time PnL now minus the "
        + "all-time PnL at the window's start, never a difference of account values: deposits and withdrawals are no part of it.",
        [LossHighUsd, LossHighPct, LossCriticalUsd, LossCriticalPct],
        [
            new(Severity.High, Exploitation, "both thresholds of high are reached in one window"),
            new(Severity.Critical, Exploitation, "both thresholds of critical are reached in one window"),
        ],
        EventLifetime.Condition,
        "The venue's vaultDetails (allTime.pnlHistory) and our own snapshots. An amount alone alarms on a large vault's noise, a share "
        + "alone on a small one's: both are asked for.",
        "Look at the inventory of the component vaults for the position behind it, and at the oracle of its coin; decide whether to "
        + "withdraw before the lock-up of others ends.")
    {
        Measure = new("pnl_usd", "USD", WorseWhen.Lower),
    };

    /// <summary>A fall of equity from its peak.</summary>
    public static readonly Rule Drawdown = new("hlp.drawdown", 1, "The HLP vault is far below its peak", Monitor,
        "100 * (peak - now) / peak of the equity index of the last 30 days. The index moves by each step's PnL / max(account value at "
        + "the step's ends), so that a flow of any size leaves it where it is.",
        [DrawdownHighPct],
        [new(Severity.High, Exploitation, "the fall reaches the threshold")],
        EventLifetime.Condition,
        "Our own snapshots and the venue's day, week and month series. Account values fall by a third within weeks of mere withdrawals, "
        + "so they say nothing here.",
        "See whether one loss made it (hlp.loss) or many small ones, and compare with the vault's earlier drawdowns in its history.")
    {
        Measure = new("drawdown_pct", "%"),
    };

    /// <summary>An unusual hour.</summary>
    public static readonly Rule Sigma = new("hlp.sigma", 2, "The HLP vault's hour is unusual", Monitor,
        "z = (PnL of the last hour - median) / (1.4826 * MAD) over the earlier hours of up to 720 h; longer steps are brought to one "
        + "hour by sqrt(1 h / step). Not judged with fewer than 24 steps or 100 h.",
        [SigmaLow, SigmaMedium, SigmaHighAbove],
        [
            new(Severity.Low, Unusual, "z >= low: a gain is no alarm"),
            new(Severity.Medium, Unusual, "z <= -medium"),
            new(Severity.High, Unusual, "z < -high_above"),
        ],
        EventLifetime.Condition,
        "Our own snapshots and the venue's series. Median and MAD, since one large hour must not hide the next; 1.4826 makes MAD a "
        + "standard deviation for normal noise.",
        "Look for the liquidation or the price move that made it; a large gain is as unusual as a loss.")
    {
        Measure = new("z_score", "", WorseWhen.Farther) { Counts = "deviations" },
    };

    /// <summary>Depositors leave.</summary>
    public static readonly Rule Outflow = new("hlp.outflow", 1, "Depositors leave the HLP vault", Monitor,
        "net withdrawals = 100 * (change of all-time PnL - change of account value) / account value at the window's start, over 1 h and "
        + "24 h. Not judged where nothing was there at the start.",
        [OutflowHourMediumPct, OutflowHourHighPct, OutflowHourCriticalPct, OutflowDayMediumPct, OutflowDayHighPct, OutflowDayCriticalPct],
        [
            new(Severity.Medium, Unusual, "the net withdrawals of one window reach its medium"),
            new(Severity.High, Unusual, "those of one window reach its high"),
            new(Severity.Critical, Unusual, "those of one window reach its critical"),
        ],
        EventLifetime.Condition,
        "Our own snapshots and the venue's day series. Flows are no loss and no part of hlp.loss and hlp.drawdown, but who leaves in a "
        + "hurry may know something, and what the vault holds weighs more on those who stay.",
        "Look for the reason (hlp.inventory, hlp.takeover, hlp.loss, the venue's own news), and decide before the lock-up decides for "
        + "you.")
    {
        Measure = new("withdrawn_pct", "%"),
    };

    /// <summary>The anomaly score, and health issues.</summary>
    public static readonly Rule Anomaly = new("hlp.anomaly", 1, "The HLP vault's anomaly score is high, or it has a health issue", Monitor,
        "score = min(40, 40 * loss of 24 h / 2 M USD) + min(30, 30 * drawdown % / 10) + min(30, 30 * |PnL of 24 h| / (2 * mean of the "
        + "last ten |PnL of 24 h|)); the last part only with ten earlier values. Health issues: closed, no account value, a component "
        + "with a negative account value or that could not be read.",
        [AnomalyHigh, AnomalyCritical],
        [
            new(Severity.Medium, Unusual, "below high, while there is a health issue"),
            new(Severity.High, Unusual, "the score reaches high"),
            new(Severity.Critical, Exploitation, "the score reaches critical"),
        ],
        EventLifetime.Condition, "The same measures as hlp.loss and hlp.drawdown; each part is stored beside the sum.",
        "Read the parts in the evidence: which of them is large says which rule to look at. A health issue names the component and why.")
    {
        Measure = new("anomaly_score", "points"),
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } = [Loss, Drawdown, Sigma, Outflow, Anomaly];
}
