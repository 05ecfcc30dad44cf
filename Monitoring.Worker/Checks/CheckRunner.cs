using System.Collections.Concurrent;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Runs one check of any monitor: measures it, holds it to its deadline, catches whatever it throws, and passes the result to the recorder.
/// </summary>
internal sealed partial class CheckRunner(
    Func<string, IMonitor> monitors, IRecorder recorder, RuleCatalog rules, SessionStatistics statistics, WorkerIdentity identity,
    TimeProvider clock, ILogger<CheckRunner> logger)
{
    private readonly ConcurrentDictionary<string, Turn> _turns = [];

    /// <summary>
    /// Waits for its turn: a monitor is checked once at a time. Never throws for a fault of the check.
    /// <paramref name="stopping"/> ends the check early; that too is recorded.
    /// </summary>
    public async Task<CheckResult> RunAsync(
        MonitorSchedule schedule, DateTimeOffset scheduledAt, CheckTrigger trigger, CancellationToken stopping)
    {
        var turn = TurnOf(schedule.Name);
        await turn.Free.WaitAsync(CancellationToken.None); // a stop ends the check that holds it
        try
        {
            return await RunInTurnAsync(schedule, scheduledAt, trigger, [], turn, stopping);
        }
        finally
        {
            turn.Free.Release();
        }
    }

    /// <summary>
    /// Runs a triggered check of the present second; null when that second belongs to the grid, whose results it must not stand in for.
    /// </summary>
    public async Task<CheckResult?> TryRunBetweenAsync(
        MonitorSchedule schedule, IReadOnlyCollection<CheckCause> causes, CancellationToken stopping)
    {
        var turn = TurnOf(schedule.Name);
        await turn.Free.WaitAsync(CancellationToken.None);
        try
        {
            var scheduledAt = CutToSecond(clock.GetUtcNow());
            return schedule.GridTime(scheduledAt) == scheduledAt ? null
                : await RunInTurnAsync(schedule, scheduledAt, CheckTrigger.Feed, causes, turn, stopping);
        }
        finally
        {
            turn.Free.Release();
        }
    }

    /// <summary>Whether the newest check of this monitor was that of this time.</summary>
    public bool HasRun(string monitor, DateTimeOffset scheduledAt) => TurnOf(monitor).ScheduledAt == scheduledAt;

    /// <summary>Whether a successful check of this monitor began after a moment.</summary>
    public bool HasSucceededSince(string monitor, DateTimeOffset moment) => TurnOf(monitor).SucceededFrom > moment;

    /// <summary>The whole second that a moment is in.</summary>
    public static DateTimeOffset CutToSecond(DateTimeOffset at) =>
        new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    private Turn TurnOf(string monitor) => _turns.GetOrAdd(monitor, _ => new Turn());

    private async Task<CheckResult> RunInTurnAsync(
        MonitorSchedule schedule, DateTimeOffset scheduledAt, CheckTrigger trigger, IReadOnlyCollection<CheckCause> causes, Turn turn,
        CancellationToken stopping)
    {
        var (startedAt, begunAt) = (clock.GetUtcNow(), clock.GetTimestamp());
        turn.ScheduledAt = scheduledAt;
        var (outcome, report, error) = await TryCheckAsync(schedule, scheduledAt, trigger, causes, stopping);
        var run = new CheckRun(schedule.Name, scheduledAt, trigger, startedAt, clock.GetUtcNow(), outcome,
            report.Observations.Count, report.Findings.Count(finding => !finding.IsHolding), error, identity.Name);
        var result = OnTime(new CheckResult(run, report.Observations, report.Findings, report.Unjudged)
        {
            Readings = report.Readings, Endings = report.Endings, Measured = report.Measured,
        }, schedule, begunAt);
        (run, scheduledAt, startedAt) = (result.Run, result.Run.ScheduledAt, result.Run.StartedAt);
        turn.ScheduledAt = scheduledAt;

        foreach (var finding in report.Findings.Where(finding => !finding.IsIn(rules)))
            LogNotInCatalog(run.Monitor, finding.RuleId, finding.RuleVersion, finding.ThreatType, finding.Severity);
        var failuresInARow = statistics.Count(run);
        if (outcome != CheckOutcome.Succeeded)
            LogFailed(run.Monitor, scheduledAt, failuresInARow, error!);
        else
            LogSucceeded(statistics.IsFirstSuccess(run) ? LogLevel.Information : LogLevel.Debug, run.Monitor, scheduledAt,
                (run.FinishedAt - startedAt).TotalMilliseconds, run.Observations, run.Findings);

        recorder.Record(result);
        LogKept(run.Monitor, scheduledAt, outcome);
        if (outcome == CheckOutcome.Succeeded)
            turn.SucceededFrom = startedAt;
        return result;
    }

    // What a check's own answers said of the time may show that the clock was wrong when it began.
    private CheckResult OnTime(CheckResult result, MonitorSchedule schedule, long begunAt)
    {
        if (clock is not WorkerClock { CorrectionSeconds: { } correction })
            return result;
        var run = result.Run;
        result = result with { Run = run with { ClockOffsetSeconds = correction } };
        var by = clock.GetUtcNow() - clock.GetElapsedTime(begunAt) - run.StartedAt;
        if (by.Duration() < WorkerClock.Tolerance)
            return result;
        var moved = run.ScheduledAt + by;
        return result.At(run.Trigger == CheckTrigger.Grid ? schedule.GridTime(moved) : OffGrid(schedule.Grid, moved), run.Trigger, by);
    }

    /// <summary>The whole second of a moment, or the one after it where that belongs to the grid.</summary>
    public static DateTimeOffset OffGrid(CheckGrid grid, DateTimeOffset at) =>
        CutToSecond(at) is var second && grid.AtOrBefore(second) == second ? second.AddSeconds(1) : second;

    /// <summary>One monitor's turn, for when its newest check was, and when its newest successful check began.</summary>
    private sealed class Turn
    {
        public SemaphoreSlim Free { get; } = new(1);
        public DateTimeOffset ScheduledAt { get; set; } = DateTimeOffset.MinValue;
        public DateTimeOffset SucceededFrom { get; set; } = DateTimeOffset.MinValue;
    }

    private static readonly CheckReport Nothing = new([], [], []);

    private async Task<(CheckOutcome, CheckReport, string?)> TryCheckAsync(
        MonitorSchedule schedule, DateTimeOffset scheduledAt, CheckTrigger trigger, IReadOnlyCollection<CheckCause> causes,
        CancellationToken stopping)
    {
        using var deadline = new CancellationTokenSource(schedule.Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stopping);
        try
        {
            var context = new CheckContext(schedule, scheduledAt, trigger, causes, clock, either.Token);
            return (CheckOutcome.Succeeded, await monitors(schedule.Name).CheckAsync(context), null);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return (CheckOutcome.Failed, Nothing, "the worker was stopped before the check ended");
        }
        catch (OperationCanceledException fault) when (deadline.IsCancellationRequested)
        {
            return (CheckOutcome.TimedOut, Nothing, $"not done within {schedule.Deadline.TotalSeconds:0} s"
                + (fault is WaitCutOffException ? $": {fault.Message}" : ""));
        }
        catch (MissingDataException fault)
        {
            return (CheckOutcome.Failed, Nothing with { Observations = fault.Seen }, fault.Message);
        }
        catch (SourceUnavailableException fault)
        {
            return (CheckOutcome.Failed, Nothing, fault.Message);
        }
        catch (Exception fault)
        {
            LogDefect(fault, schedule.Name, scheduledAt);
            return (CheckOutcome.Failed, Nothing, SourceFaults.Clean($"{fault.GetType().Name}: {fault.Message}"));
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Monitor}: check of {ScheduledAt:HH:mm:ss} failed ({FailuresInARow} in a row): {Error}")]
    private partial void LogFailed(string monitor, DateTimeOffset scheduledAt, int failuresInARow, string error);

    [LoggerMessage(
        "{Monitor}: check of {ScheduledAt:HH:mm:ss} succeeded in {Milliseconds:0} ms, {Observations} observations, {Findings} findings")]
    private partial void LogSucceeded(
        LogLevel level, string monitor, DateTimeOffset scheduledAt, double milliseconds, int observations, int findings);

    // The last word on a check: whoever counts what must be stored (./bench faults) counts these.
    [LoggerMessage(LogLevel.Debug, "{Monitor}: the result of {ScheduledAt:O} is kept ({Outcome})")]
    private partial void LogKept(string monitor, DateTimeOffset scheduledAt, CheckOutcome outcome);

    // It is recorded all the same; but no route, no reference and no reader knows what it is.
    [LoggerMessage(LogLevel.Error,
        "{Monitor}: the rule catalogue has no {RuleId}, version {Version}, {ThreatType}, {Severity}: a defect of this program")]
    private partial void LogNotInCatalog(string monitor, string ruleId, int version, string threatType, Severity severity);

    [LoggerMessage(LogLevel.Error, "{Monitor}: check of {ScheduledAt:HH:mm:ss} ended by a defect of this program")]
    private partial void LogDefect(Exception fault, string monitor, DateTimeOffset scheduledAt);
}
