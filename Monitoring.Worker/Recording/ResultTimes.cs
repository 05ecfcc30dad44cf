using Monitoring.Data.Checks;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Gives results that waited for the database their right time, where the clock of their worker was wrong and nobody had told it. No result
/// takes the key of a check that is yet to come: that one's findings would be lost.
/// </summary>
internal sealed partial class ResultTimes(
    IEnumerable<MonitorSchedule> schedules, WorkerIdentity identity, DatabaseClock database, WorkerClock clock, ILogger<ResultTimes> logger)
{
    // Of monitors that are not scheduled.
    private static readonly CheckGrid WholeSeconds = new(TimeSpan.FromSeconds(1));

    /// <summary>The result under the time that it is stored under. Throws what the database throws.</summary>
    public async Task<CheckResult> SettleAsync(CheckResult result, CancellationToken cancellationToken)
    {
        await database.AskIfDueAsync(cancellationToken);
        return Settle(result, clock.GetUtcNow());
    }

    private CheckResult Settle(CheckResult result, DateTimeOffset now)
    {
        var run = result.Run;
        if (clock.CorrectionSeconds is not { } known || (run.ClockOffsetSeconds is not null && !run.FinishedAt.IsAhead(now)))
            return result;
        // This process's clock was as wrong before it was told as it is now; another's perhaps.
        var correction = TimeSpan.FromSeconds((double)(known - (run.ClockOffsetSeconds ?? 0)));
        if (correction.Duration() >= WorkerClock.Tolerance && !(run.FinishedAt + correction).IsAhead(now)
            && (run.Worker == identity.Name || run.FinishedAt.IsAhead(now)))
        {
            var moved = run.ScheduledAt + correction;
            var grid = schedules.FirstOrDefault(schedule => schedule.Name == run.Monitor)?.Grid ?? WholeSeconds;
            return Say(Mark(result.At(run.Trigger == CheckTrigger.Grid ? grid.AtOrBefore(moved) : moved, run.Trigger, correction),
                correction), run);
        }

        // When it was is not known. The moment of its storing is nobody else's, and no time of the grid.
        return run.FinishedAt.IsAhead(now)
            ? Say(Mark(result.At(InMicroseconds(now), CheckTrigger.Feed, now - run.FinishedAt), now - run.FinishedAt), run) : result;
    }

    private static DateTimeOffset InMicroseconds(DateTimeOffset at) =>
        new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    private static CheckResult Mark(CheckResult result, TimeSpan by) => result with
    {
        Run = result.Run with
        {
            ClockOffsetSeconds = (result.Run.ClockOffsetSeconds ?? 0) + Math.Round((decimal)by.TotalSeconds, 3),
        },
    };

    private CheckResult Say(CheckResult moved, CheckRun was)
    {
        LogMoved(was.Monitor, was.ScheduledAt, moved.Run.ScheduledAt);
        return moved;
    }

    [LoggerMessage(LogLevel.Warning, "{Monitor}: the clock was wrong at the check of {Was:O}; its result is stored under {Now:O}")]
    private partial void LogMoved(string monitor, DateTimeOffset was, DateTimeOffset now);
}
