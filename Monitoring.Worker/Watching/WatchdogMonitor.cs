using Monitoring.Data.Database;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;

namespace Monitoring.Worker.Watching;

/// <summary>
/// Watches the other monitors, so that one that cannot see is never taken for one that sees calm; the channels, so that one that loses
/// messages is reported by the others; and what subjects bring besides.
/// </summary>
internal sealed partial class WatchdogMonitor(
    MonitorHealth health, IEnumerable<IWatchdogSource> sources, IOutbox outbox, PastReads reads, ILogger<WatchdogMonitor> logger) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "watchdog";

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(CheckContext context)
    {
        var (at, cancellation) = (context.ScheduledAt, context.Cancellation);
        // It cannot report its own silence; the heartbeat and the read service do.
        var others = (await health.ReadAsync(at, cancellation)).Where(state => state.Monitor.Name != context.Schedule.Name).ToList();
        var looks = await Task.WhenAll(sources.Select(source => LookAsync(source, at, cancellation)));
        var letters = await FindDeadLettersAsync(at - UndeliveredRules.Window, cancellation);
        return new CheckReport([],
            [.. WatchdogRules.Evaluate(others, at), .. looks.SelectMany(look => look.Findings),
                .. UndeliveredRules.Evaluate(letters ?? [])],
            [
                .. WatchdogRules.Unjudged(others), .. looks.SelectMany(look => look.Unjudged),
                .. letters is null ? [EngineRules.Undelivered.FingerprintOf("*")] : (string[])[],
            ])
        {
            Measured = WatchdogRules.Measure(others, at),
        };
    }

    // One that fails must not keep the others' silence from being seen.
    private async Task<(IReadOnlyList<Finding> Findings, IEnumerable<string> Unjudged)> LookAsync(
        IWatchdogSource source, DateTimeOffset at, CancellationToken cancellationToken)
    {
        try
        {
            return (await source.LookAsync(at, cancellationToken), source.Unjudged);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotSeen(fault, source.GetType().Name);
            return ([], source.Rules.Select(rule => rule.FingerprintOf("*")));
        }
    }

    // Null while the outbox cannot be read.
    private async Task<IReadOnlyList<DeadLetters>?> FindDeadLettersAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        try
        {
            return await reads.ReadAsync(token => outbox.ListDeadAsync(since, token), cancellationToken);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return null;
        }
    }

    [LoggerMessage(LogLevel.Error, "{Source} cannot be looked at, its events stay as they are")]
    private partial void LogNotSeen(Exception fault, string source);
}
