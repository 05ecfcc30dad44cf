using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Database;

namespace Monitoring.Data.Supervision;

/// <summary>A loop whose newest rounds failed: how many in a row, the time from the first to the newest, and that one's fault.</summary>
public sealed record FailingLoop(string Name, int Failures, TimeSpan Age, string Error);

/// <summary>
/// Runs the loops of a program. Whatever a round throws, also a cancellation that nobody asked for, ends that round and no more: it is
/// logged and counted, and tried again after a pause that grows. Faults that somebody else reports are excused: they are no news, and no
/// loop counts as failing for them.
/// </summary>
public sealed partial class Supervisor(TimeProvider clock, ILogger<Supervisor> logger, Func<Exception, bool>? isExcused = null)
{
    /// <summary>The pause after the first failure; each further one doubles it.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>No pause after a failure is longer.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // A round that goes on for so long works, however it ends: a connection that held for hours, say.
    private static readonly TimeSpan Works = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Loop> _loops = [];

    /// <summary>The loops whose newest rounds failed, by name.</summary>
    public IReadOnlyList<FailingLoop> Failing => [.. from loop in _loops.Values.Select(loop => loop.Find(clock)).OfType<FailingLoop>()
                                                     orderby loop.Name
                                                     select loop];

    /// <summary>How many rounds of each loop have failed since the start.</summary>
    public IReadOnlyDictionary<string, long> Failed => _loops.ToDictionary(loop => loop.Key, loop => loop.Value.Failed);

    /// <summary>One line for the log.</summary>
    public override string ToString()
    {
        var failed = Failed.Where(loop => loop.Value > 0).OrderBy(loop => loop.Key, StringComparer.Ordinal).ToList();
        return failed.Count == 0 ? "no round failed"
            : $"failed rounds: {string.Join(", ", failed.Select(loop => $"{loop.Key} {loop.Value}"))}";
    }

    /// <summary>
    /// Runs rounds until it is stopped; each answers how long to wait for the next, or null when there is nothing more to do.
    /// </summary>
    public async Task RunAsync(string name, Func<CancellationToken, Task<TimeSpan?>> round, CancellationToken stopping)
    {
        var loop = _loops.GetOrAdd(name, _ => new Loop(name));
        while (!stopping.IsCancellationRequested)
            try
            {
                loop.Begin(clock.GetTimestamp());
                var pause = await round(stopping);
                if (loop.Succeed() is var failures and > 0)
                    LogWorks(name, failures);
                if (pause is null)
                    return;
                await Task.Delay(pause > TimeSpan.Zero ? pause.Value : TimeSpan.Zero, clock, stopping);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                await PauseAsync(loop, fault, stopping);
            }
    }

    // The clock and the log may be what fails: there is a pause in any case.
    private async Task PauseAsync(Loop loop, Exception fault, CancellationToken stopping)
    {
        var pause = FirstPause;
        try
        {
            var (excused, error) = (isExcused?.Invoke(fault) == true, Describe(fault));
            var failures = loop.Fail(excused, error, clock);
            pause = failures > 4 ? LongestPause : FirstPause * (1 << (failures - 1));
            var (seconds, isNews) = (pause.TotalSeconds, int.IsPow2(failures)); // said now and then, not each time
            if (excused)
                LogExcused(failures == 1 ? LogLevel.Information : LogLevel.Debug, loop.Name, error, seconds);
            else
                LogFailed(isNews ? LogLevel.Error : LogLevel.Debug, isNews ? fault : null, loop.Name, failures, error, seconds);
            await Task.Delay(pause, clock, stopping);
        }
        catch (Exception) when (!stopping.IsCancellationRequested)
        {
            await Task.Delay(pause, TimeProvider.System, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private static string Describe(Exception fault) =>
        DatabaseFaults.Covers(fault) ? DatabaseFaults.Describe(fault) : $"{fault.GetType().Name}: {fault.Message}";

    /// <summary>What is known of one loop.</summary>
    private sealed class Loop(string name)
    {
        private readonly Lock _lock = new();
        private long _begunAt;
        private long? _failingSince;
        private long _failedAt;
        private int _failures;
        private string _error = "";

        public string Name => name;

        public long Failed { get; private set; }

        public void Begin(long at)
        {
            lock (_lock)
                _begunAt = at;
        }

        /// <summary>Answers how many rounds had failed before this one.</summary>
        public int Succeed()
        {
            lock (_lock)
            {
                var failures = _failures;
                (_failures, _failingSince) = (0, null);
                return failures;
            }
        }

        /// <summary>Answers how many rounds have failed in a row by now.</summary>
        public int Fail(bool excused, string error, TimeProvider clock)
        {
            lock (_lock)
            {
                (Failed, _failures, _error) = (Failed + 1, _failures + 1, error);
                var now = _failedAt = clock.GetTimestamp();
                if (excused)
                    _failingSince = null;
                else if (clock.GetElapsedTime(_begunAt, now) >= Works)
                    (_failures, _failingSince) = (1, now);
                else
                    _failingSince ??= now;
                return _failures;
            }
        }

        public FailingLoop? Find(TimeProvider clock)
        {
            lock (_lock)
                return _failingSince is { } since && clock.GetElapsedTime(_begunAt) < Works
                    ? new FailingLoop(name, _failures, clock.GetElapsedTime(since, _failedAt), _error)
                    : null;
        }
    }

    [LoggerMessage("{Loop}: a round failed, {Failures} in a row by now: {Error}. It is tried again in {Seconds:0} s")]
    private partial void LogFailed(LogLevel level, Exception? fault, string loop, int failures, string error, double seconds);

    [LoggerMessage("{Loop} waits, it is tried again in {Seconds:0} s: {Error}")]
    private partial void LogExcused(LogLevel level, string loop, string error, double seconds);

    [LoggerMessage(LogLevel.Information, "{Loop} works again; {Failures} rounds had failed")]
    private partial void LogWorks(string loop, int failures);
}
