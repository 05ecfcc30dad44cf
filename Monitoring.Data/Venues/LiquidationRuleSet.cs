using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>What the catalogue says of the rules of the monitor <c>liquidations</c>.</summary>
public static class LiquidationRuleSet
{
    private const string Monitor = "liquidations";
    private const string Suspicious = "suspicious_liquidation";
    private const string Cascading = "cascade_liquidation";
    private const string Seen =
        "Fills of the HLP vaults and of the watched accounts: complete for backstop liquidations and deleveraging against HLP, "
        + "market liquidations only where such an account took part. The venue has no feed of all.";

    // What was liquidated is: checks that find no more of it do not undo it.
    private static readonly EventLifetime Happened = EventLifetime.Occurrence(TimeSpan.FromMinutes(30));

    public static readonly RuleThreshold EventScore =
        new("event_score", "Rules:liquidation.patterns:EventScore", 50, "points", "suspicion score from which a pattern is an event");
    public static readonly RuleThreshold FlashLoanUsd =
        new("usd", "Rules:liquidation.flash-loan:Usd", 500_000, "USD", "liquidated within the window");
    public static readonly RuleThreshold FlashLoanWindow =
        new("window_seconds", "Rules:liquidation.flash-loan:WindowSeconds", 10, "s", "the window");
    public static readonly RuleThreshold FlashLoanVolumePct =
        new("volume_pct", "Rules:liquidation.flash-loan:VolumePct", 1, "%", "share of the coin's 24 h volume from which it is an attack");
    public static readonly RuleThreshold CascadeVictims =
        new("victims", "Rules:liquidation.cascade:Victims", 5, "", "accounts within the window");
    public static readonly RuleThreshold CascadeWindow =
        new("window_seconds", "Rules:liquidation.cascade:WindowSeconds", 300, "s", "the window");
    public static readonly RuleThreshold CascadeDirectionPct =
        new("direction_pct", "Rules:liquidation.cascade:DirectionPct", 70, "%", "share of the price steps in one direction");
    public static readonly RuleThreshold CoordinatedTimes = new("times", "Rules:liquidation.coordinated:Times", 3, "", "liquidations");
    public static readonly RuleThreshold CoordinatedUsd = new("usd", "Rules:liquidation.coordinated:Usd", 1_000_000, "USD", "in all");
    public static readonly RuleThreshold FundedWithin =
        new("funded_within_seconds", "Rules:liquidation.coordinated:FundedWithinSeconds", 3600, "s",
            "accounts first funded by one sender within so long of each other are one");
    public static readonly RuleThreshold ManipulationImpactPct =
        new("impact_pct", "Rules:liquidation.manipulation:ImpactPct", 2, "%", "price impact");
    public static readonly RuleThreshold ManipulationRecoveryPct =
        new("recovery_pct", "Rules:liquidation.manipulation:RecoveryPct", 50, "%", "share of it that came back");
    public static readonly RuleThreshold ManipulationWindow =
        new("window_seconds", "Rules:liquidation.manipulation:WindowSeconds", 1800, "s", "within so long");

    public static readonly RuleThreshold MarketWideCoins =
        new("coins", "Rules:liquidation.market-wide:Coins", 5, "", "coins in cascade or deleveraging within the window");
    public static readonly RuleThreshold MarketWideWindow =
        new("window_seconds", "Rules:liquidation.market-wide:WindowSeconds", 300, "s", "the window");

    /// <summary>Much is liquidated within seconds.</summary>
    public static readonly Rule FlashLoan = new("liquidation.flash-loan", 2, "Much is liquidated within seconds", Monitor,
        "sum of the notional of one coin's liquidations within the window >= USD; share = 100 * that sum / the coin's volume of 24 h; "
        + "score = amount (> 5 M: 50; > 2 M: 40; > 1 M: 30; else 20 * USD / 500 k) + 30 if one of them is above 2 M + 20",
        [FlashLoanUsd, FlashLoanWindow, FlashLoanVolumePct, EventScore],
        [
            new(Severity.Medium, Suspicious,
                "the sum is reached, and the score makes an event; the share is below its threshold, or the volume is not known"),
            new(Severity.Critical, "flash_loan_attack", "the sum and the share are reached, whatever the score"),
        ],
        Happened, Seen + " The coin's volume of 24 h in the venue's metaAndAssetCtxs; none or zero is not known.",
        "Look at the coin's oracle and its book: a push of seconds that liquidates others is an attack. See who gained.")
    {
        Measure = new("peak_usd", "USD"),
    };

    /// <summary>Liquidations that push the price which liquidates the next.</summary>
    public static readonly Rule Cascade = new("liquidation.cascade", 1, "Liquidations follow one another", Monitor,
        "accounts liquidated in one coin within the window >= victims, and that share of the price steps between them in one direction, "
        + "up or down; score = min(30, 3 * count) + min(40, 40 * USD / 5 M) + min(30, 30 * |impact %| / 5)",
        [CascadeVictims, CascadeWindow, CascadeDirectionPct, EventScore],
        [new(Severity.High, Cascading, "victims and direction are reached, and the score makes an event")],
        Happened, Seen,
        "See whether it goes on, what HLP took over (inventory), and whether deleveraging has begun (liquidation.adl).")
    {
        Measure = new("total_liquidated_usd", "USD"),
    };

    /// <summary>One owner is liquidated again and again.</summary>
    public static readonly Rule Coordinated = new("liquidation.coordinated", 1, "One owner is liquidated again and again", Monitor,
        "liquidations of one account, or of accounts funded together, >= times, for >= USD in all; score = min(50, 10 * count) + "
        + "min(50, 50 * USD / 3 M)",
        [CoordinatedTimes, CoordinatedUsd, FundedWithin, EventScore],
        [new(Severity.Medium, Suspicious, "times and amount are reached, and the score makes an event")],
        Happened,
        Seen + " The accounts' ledgers name who first sent them money; what came from outside the venue has no sender.",
        "Somebody who lets positions be liquidated on purpose hands them to HLP: look at what HLP took over and at the accounts on the "
        + "other side.")
    {
        Measure = new("total_liquidated_usd", "USD"),
    };

    /// <summary>A price is pushed and comes back.</summary>
    public static readonly Rule Manipulation = new("liquidation.manipulation", 1, "A price was pushed and came back", Monitor,
        "price impact of one coin's liquidations, within five minutes of each other, >= impact, and that share of it came back within "
        + "the window after its extreme; score = min(50, 50 * |impact %| / 4) + min(50, 50 * recovered % / 100)",
        [ManipulationImpactPct, ManipulationRecoveryPct, ManipulationWindow, EventScore],
        [new(Severity.Medium, Suspicious, "impact and recovery are reached, and the score makes an event")],
        Happened, Seen + " Mark prices of the coin afterwards.",
        "Compare the venue's price with other markets at that minute (oracle deviations): a move that only this venue saw was made here.")
    {
        Measure = new("price_impact_pct", "%", WorseWhen.Farther),
    };

    /// <summary>The venue deleverages winners.</summary>
    public static readonly Rule Deleveraging = new("liquidation.adl", 1, "Positions are auto-deleveraged", Monitor,
        "a fill whose direction is auto-deleveraging was seen; score = 50 + min(50, 50 * USD / 5 M)",
        [],
        [new(Severity.High, "auto_deleveraging", "one was seen, whatever its score")],
        Happened, Seen,
        "The venue closes winners because the losers' margin is gone: the coin is in distress, and hedges on this venue may be closed. "
        + "Check your own positions.")
    {
        Measure = new("total_liquidated_usd", "USD"),
    };

    /// <summary>Many coins at once: one event instead of one or more per coin.</summary>
    public static readonly Rule MarketWide = new("liquidation.market-wide", 1, "Liquidations go through the whole market", Monitor,
        "coins with an event of liquidation.cascade or liquidation.adl that were in it at some moment of one window >= coins",
        [MarketWideCoins, MarketWideWindow, EventScore],
        [new(Severity.Critical, Cascading, "so many coins are reached")],
        Happened, Seen + " What the vault gains or loses is the change of its all-time PnL in vaultDetails since before it began.",
        "See which coins it has reached, whether HLP gains or loses by it, and whether it goes on: the vault takes over what the books do "
        + "not. While it is open the events of its coins are stored and notify nobody.")
    {
        Inhibits = ["liquidation.*"],
        Measure = new("total_usd", "USD"),
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } = [FlashLoan, Cascade, Coordinated, Manipulation, Deleveraging, MarketWide];
}
