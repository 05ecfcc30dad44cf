using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>Lets the watchdog look at the live feed.</summary>
internal sealed class FeedHealth(FeedState feed) : IWatchdogSource
{
    /// <inheritdoc/>
    public IReadOnlyList<Rule> Rules => FeedRuleSet.All;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> LookAsync(DateTimeOffset at, CancellationToken cancellationToken) =>
        Task.FromResult(FeedRules.Evaluate(feed.DownSince, at));
}

/// <summary>The rule of the live feed: one that is down is worth knowing and no more, because polling goes on.</summary>
internal static class FeedRules
{
    private const string Subject = "hyperliquid";

    /// <summary>The finding of a live feed that does not work since a moment, or none.</summary>
    public static IReadOnlyList<Finding> Evaluate(DateTimeOffset? downSince, DateTimeOffset now)
    {
        var limit = FeedRuleSet.DownSeconds.Span();
        if (downSince is not { } since || now - since < limit)
            return [];
        var age = (now - since).TotalSeconds;
        var evidence = new Evidence(
            new JsonObject { ["down_since"] = since.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), ["age_seconds"] = age },
            new JsonObject { [FeedRuleSet.DownSeconds.Name] = limit.TotalSeconds },
            [$"down for {age:0} s >= {limit.TotalSeconds:0} s: low"]);
        return [FeedRuleSet.Down.Find(Severity.Low, new EventSubject("feed", Subject), $"The live feed of {Subject} is down",
            "No check is triggered between grid times; everything is still found at the next grid time.", evidence)];
    }
}
