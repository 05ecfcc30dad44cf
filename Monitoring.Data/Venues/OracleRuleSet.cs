using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>What the catalogue says of the rules of the monitor <c>oracle</c>.</summary>
public static class OracleRuleSet
{
    private const string Monitor = "oracle";
    private const string Off = "oracle_deviation";
    private const string Manipulated = "oracle_manipulation";

    public static readonly RuleThreshold HighPct =
        new("high_pct", "Rules:oracle.deviation:HighPct", 0.5m, "%", "deviation from which it is high");
    public static readonly RuleThreshold CriticalPct =
        new("critical_pct", "Rules:oracle.deviation:CriticalPct", 1, "%", "deviation from which it is critical");
    public static readonly RuleThreshold FloorFactor =
        new("floor_factor", "Rules:oracle.deviation:FloorFactor", 3, "x",
            "times the asset's own 95th percentile of 24 h, below which nothing is found");
    public static readonly RuleThreshold FloorSamples =
        new("floor_samples", "Rules:oracle.deviation:FloorSamples", 500, "", "samples that such a floor needs");
    public static readonly RuleThreshold ThinPct =
        new("thin_pct", "Rules:oracle.deviation:ThinPct", 5, "%", "below this a thin coin without a floor is low only");
    public static readonly RuleThreshold DangerousSeconds =
        new("dangerous_seconds", "Rules:oracle.deviation:DangerousSeconds", 30, "s",
            "a breach of high or worse that lasts so long is called dangerous");
    public static readonly RuleThreshold LiquidUsd =
        new("liquid_usd", "Rules:oracle.deviation:LiquidUsd", 5_000_000, "USD", "volume of 24 h below which a coin is thin");
    public static readonly RuleThreshold CommonShiftPct =
        new("shift_pct", "Rules:oracle.common-mode:ShiftPct", 0.5m, "%", "shift that most assets share");
    public static readonly RuleThreshold CommonAssets =
        new("min_assets", "Rules:oracle.common-mode:MinAssets", 3, "", "assets with USD references that a verdict needs");

    /// <summary>The venue's oracle price is off its references.</summary>
    public static readonly Rule Deviation = new("oracle.deviation", 2, "An oracle price is off its references", Monitor,
        "max over the fresh references of |100 * (oracle / reference - 1)|; a second reference must see the oracle on the same side, at "
        + "least half as far off as high asks. Not judged with fewer than two fresh references. A reference that is missing, unchanged "
        + "for 5 min on a liquid asset, crossed, or off by more than 20 % is left out. A price of 0 or below, or 0 at 12 decimals, is off "
        + "by 100 % without any reference, in every market of the venue and in the first check too; it is no sample of the floor and no "
        + "part of a common shift.",
        [HighPct, CriticalPct, FloorFactor, FloorSamples, ThinPct, DangerousSeconds, LiquidUsd],
        [
            new(Severity.Low, Off, "a thin coin without a floor of its own, below thin_pct"),
            new(Severity.High, Off, "the deviation reaches high and is not below the asset's own floor"),
            new(Severity.Critical, Manipulated,
                "the deviation reaches critical and is not below the asset's own floor; or the price is one that nothing has"),
        ],
        EventLifetime.Condition,
        "The venue's metaAndAssetCtxs against Binance and OKX (USDT), Coinbase, Kraken and Pyth (USD, divided by USDT/USD). Of some 175 "
        + "assets on a calm day the mark lies off the oracle by 0.07 % in the median and 0.26 % at the 95th percentile, thin coins by "
        + "more: hence the floor.",
        "Compare the references in the evidence. If they agree and the venue stands alone, its oracle is wrong or pushed: positions in "
        + "that coin are liquidated at a wrong price.")
    {
        Measure = new("max_deviation_pct", "%"),
    };

    /// <summary>The quote currency moved.</summary>
    public static readonly Rule Common = new("oracle.common-mode", 1, "The quote currency has moved", Monitor,
        "median over the assets of 100 * (oracle / median of the USD references before conversion - 1), less what their USDT references "
        + "say alike; more than half of the assets lie within max(0.1, a quarter of the shift) of it",
        [CommonShiftPct, CommonAssets],
        [new(Severity.Medium, "quote_depeg", "the shift reaches the threshold")],
        EventLifetime.Condition,
        "The same prices as oracle.deviation. A discount of USDT of 0.1 to 0.3 % is ordinary; one event for the currency stands for "
        + "those of all assets.",
        "Look at USDT/USD itself: the venue's prices are in USDT, its collateral in USDC.")
    {
        Measure = new("shift_pct", "%", WorseWhen.Farther),
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } = [Deviation, Common];
}
