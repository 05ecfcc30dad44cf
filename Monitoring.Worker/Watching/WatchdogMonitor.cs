using Monitoring.Data.Database;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Venues.Hyperliquid.Feed;

namespace Monitoring.Worker.Watching;

/// <summary>Watches the other monitors, so that one that cannot see is never taken for one that sees calm; and the channels, so that one that loses messages is told of by the others.</summary>
internal sealed class WatchdogMonitor(MonitorHealth health, FeedState feed, IOutbox outbox) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "watchdog";

    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public string Name => MonitorName;

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        // It cannot tell of its own silence; the heartbeat and the read service do.
        var others = (await health.ReadAsync(scheduledAt, cancellationToken)).Where(state => state.Monitor != MonitorName).ToList();
        var letters = await FindDeadLettersAsync(scheduledAt - UndeliveredRules.Window, cancellationToken);
        return new CheckReport([], [.. WatchdogRules.Evaluate(others, scheduledAt), .. WatchdogRules.EvaluateFeed(feed.DownSince, scheduledAt), .. UndeliveredRules.Evaluate(letters ?? [])],
            [.. WatchdogRules.Unjudged(others), .. letters is null ? [Finding.FingerprintOf(NotificationRouting.UndeliveredRule, "*")] : (string[])[]]);
    }

    // Null while the outbox cannot be read.
    private async Task<IReadOnlyList<DeadLetters>?> FindDeadLettersAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        try
        {
            return await DatabaseDeadline.HoldAsync(token => outbox.ListDeadAsync(since, token), ReadTimeout, cancellationToken);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return null;
        }
    }
}
