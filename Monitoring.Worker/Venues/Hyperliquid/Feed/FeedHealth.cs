using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>Lets the watchdog look at the live feed.</summary>
internal sealed class FeedHealth(FeedState feed, EventSnapshot snapshot, WorkerIdentity identity) : IWatchdogSource
{
    /// <inheritdoc/>
    public IReadOnlyList<Rule> Rules => FeedRuleSet.All;

    /// <inheritdoc/>
    public IReadOnlyList<string> Unjudged => snapshot.OfOtherHosts(FeedRuleSet.Down, identity);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> LookAsync(DateTimeOffset at, CancellationToken cancellationToken) =>
        Task.FromResult(FeedRules.Evaluate(feed.DownSince, at, identity));
}

/// <summary>The rule of the live feed: one that is down is worth knowing and no more, because polling goes on.</summary>
internal static class FeedRules
{
    private const string Venue = "hyperliquid";

    /// <summary>The finding of a live feed that does not work since a moment, or none.</summary>
    public static IReadOnlyList<Finding> Evaluate(DateTimeOffset? downSince, DateTimeOffset now, WorkerIdentity identity)
    {
        var limit = FeedRuleSet.DownSeconds.Span();
        if (downSince is not { } since || now - since < limit)
            return [];
        var age = (now - since).TotalSeconds;
        var evidence = new Evidence(
            new JsonObject { ["down_since"] = since.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), ["age_seconds"] = age },
            new JsonObject { [FeedRuleSet.DownSeconds.Name] = limit.TotalSeconds },
            [$"down for {age:0} s >= {limit.TotalSeconds:0} s: low"]);
        return [FeedRuleSet.Down.Find(
            Severity.Low, new EventSubject("feed", identity.SubjectOf(Venue)), $"The live feed of {Venue} is down",
            $"On {identity.Host} no check is triggered between grid times; everything is still found at the next grid time.", evidence,
            threshold: (decimal)limit.TotalSeconds)];
    }
}
