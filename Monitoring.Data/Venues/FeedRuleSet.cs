using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Data.Venues;

/// <summary>What the catalogue says of the rule of the venue's live feed.</summary>
public static class FeedRuleSet
{
    /// <summary>A feed that is down for so long is worth knowing.</summary>
    public static readonly RuleThreshold DownSeconds = new("limit_seconds", null, 60, "s", "time without a connection that works");

    /// <summary>The live feed is down.</summary>
    public static readonly Rule Down = new("feed.down", 1, "The live feed is down", "watchdog",
        "time since the feed last had a connection whose subscriptions were acknowledged >= limit", [DownSeconds],
        [new(Severity.Low, "feed_down", "the limit is reached")],
        EventLifetime.Condition, "The venue's websocket. The venue closes connections now and then; a minute is more than one reconnect.",
        "Nothing is missed: polling goes on, and findings come at the next grid time instead of at once. See the worker's log for the "
        + "reason.")
    {
        Measure = new("age_seconds", "s") { IsAge = true },
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } = [Down];
}
