using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid.Feed;

namespace Monitoring.Worker.Watching;

/// <summary>Watches the other monitors, so that one that cannot see is never taken for one that sees calm.</summary>
internal sealed class WatchdogMonitor(MonitorHealth health, FeedState feed) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "watchdog";

    /// <inheritdoc/>
    public string Name => MonitorName;

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        // It cannot tell of its own silence; the heartbeat and the read service do.
        var others = (await health.ReadAsync(scheduledAt, cancellationToken)).Where(state => state.Monitor != MonitorName).ToList();
        return new CheckReport([], [.. WatchdogRules.Evaluate(others, scheduledAt), .. WatchdogRules.EvaluateFeed(feed.DownSince, scheduledAt)], WatchdogRules.Unjudged(others));
    }
}
