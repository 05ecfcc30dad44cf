using System.Text.Json.Nodes;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Watching;

/// <summary>
/// The rule of the watchdog: a monitor, or a part of one, that has not seen anything for too long is blind, and that is no calm.
/// </summary>
internal static class WatchdogRules
{
    /// <summary>
    /// Whether there was no success for too long. One that is as far in the future says nothing either: a clock was set back since.
    /// </summary>
    public static bool IsStale(MonitorState state, DateTimeOffset now) =>
        MonitorFreshness.IsStale(state.Monitor.Interval, now - state.Since);

    /// <summary>One finding per blind monitor; the monitor's name is the subject.</summary>
    public static IReadOnlyList<Finding> Evaluate(IReadOnlyList<MonitorState> states, DateTimeOffset now) =>
        [.. states.Where(state => state.CanBeJudged && IsStale(state, now)).Select(state => Find(state, now))];

    /// <summary>The fingerprints of monitors that cannot be judged yet.</summary>
    public static IReadOnlyList<string> Unjudged(IReadOnlyList<MonitorState> states) =>
        [.. states.Where(state => !state.CanBeJudged).Select(state => EngineRules.Stale.FingerprintOf(state.Monitor.Name))];

    /// <summary>The age of the newest success of each monitor, by fingerprint.</summary>
    public static IReadOnlyDictionary<string, decimal> Measure(IReadOnlyList<MonitorState> states, DateTimeOffset now) =>
        states.Where(state => state.CanBeJudged).ToDictionary(
            state => EngineRules.Stale.FingerprintOf(state.Monitor.Name),
            state => Math.Round((decimal)(now - state.Since).TotalSeconds, 3));

    /// <summary>What makes it the same blind part in the next check.</summary>
    public static string FingerprintOfPart(MonitorSchedule monitor, string part) =>
        EngineRules.Stale.FingerprintOf(SubjectOf(monitor, part));

    /// <summary>The finding of a monitor's part, such as an account, that was last seen too long ago; else null.</summary>
    public static Finding? FindPart(MonitorSchedule monitor, string part, DateTimeOffset seenAt, string error, DateTimeOffset now)
    {
        var state = new MonitorState(monitor, seenAt, seenAt, CanBeJudged: true, error);
        if (!IsStale(state, now))
            return null;
        var whole = Find(state, now);
        whole.Evidence.Values["part"] = part;
        return whole with
        {
            Subject = new EventSubject("part", SubjectOf(monitor, part)),
            Title = $"Monitor {monitor.Name} is blind to {part}",
            Description = $"Checks succeed with the other parts; of this one nothing is known since {seenAt:yyyy-MM-dd HH:mm:ss}Z. "
                + $"The newest fault: {error}",
            RelatedAddresses = part.StartsWith("0x", StringComparison.Ordinal) ? [part] : [],
        };
    }

    private static string SubjectOf(MonitorSchedule monitor, string part) => $"{monitor.Name} {part}";

    private static Finding Find(MonitorState state, DateTimeOffset now)
    {
        var (name, interval) = (state.Monitor.Name, state.Monitor.Interval);
        var (age, limit) = ((now - state.Since).TotalSeconds, MonitorFreshness.StaleAfter(interval).TotalSeconds);
        var aged = state.LastSuccessAt is null ? "worker, which has had no success," : "newest success";
        var compared = age < 0 ? $"<= -{limit:0} s, which lies ahead of the clock" : $">= {limit:0} s";
        var evidence = new Evidence(
            new JsonObject
            {
                ["monitor"] = name, ["age_seconds"] = age, ["interval_seconds"] = interval.TotalSeconds,
                ["last_success_at"] = state.LastSuccessAt?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), ["last_error"] = state.LastError,
            },
            new JsonObject { ["limit_seconds"] = limit },
            [
                $"limit = max({MonitorFreshness.StaleIntervals} * {interval.TotalSeconds:0} s, {MonitorFreshness.StaleAtLeastSeconds} s) "
                    + $"= {limit:0} s",
                $"age of the {aged} = {age:0} s {compared}: high",
            ]);
        var known = state.LastSuccessAt is { } success
            ? $"The newest successful check is that of {success:yyyy-MM-dd HH:mm:ss}Z" : "No check has succeeded yet";
        var error = state.LastError is null ? "" : $" The newest fault: {state.LastError}";
        return EngineRules.Stale.Find(Severity.High, new EventSubject("monitor", name), $"Monitor {name} is blind",
            $"{known}; nothing is known of what it watches since.{error}", evidence, threshold: (decimal)limit);
    }
}
