using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Watching;

/// <summary>
/// The rules of the watchdog: a monitor without a successful check for three intervals, at least a minute, is blind (CONTRACT §5); a live feed that is down for as
/// long is worth knowing and no more, because polling goes on.
/// </summary>
internal static class WatchdogRules
{
    public const string Stale = "monitor.stale";

    public const string FeedDown = "feed.down";

    private const int Intervals = 3;
    private static readonly TimeSpan AtLeast = TimeSpan.FromSeconds(60);

    /// <summary>How old a monitor's newest success may grow.</summary>
    public static TimeSpan Limit(TimeSpan interval) => Intervals * interval > AtLeast ? Intervals * interval : AtLeast;

    /// <summary>Whether there was no success for too long. One that is as far in the future says nothing either: a clock was set back since.</summary>
    public static bool IsStale(MonitorState state, DateTimeOffset now) => (now - state.Since).Duration() >= Limit(state.Interval);

    /// <summary>One finding per blind monitor; the monitor's name is the subject.</summary>
    public static IReadOnlyList<Finding> Evaluate(IReadOnlyList<MonitorState> states, DateTimeOffset now) =>
        [.. states.Where(state => state.CanBeJudged && IsStale(state, now)).Select(state => Find(state, now))];

    /// <summary>The fingerprints of monitors that cannot be judged yet.</summary>
    public static IReadOnlyList<string> Unjudged(IReadOnlyList<MonitorState> states) =>
        [.. states.Where(state => !state.CanBeJudged).Select(state => Finding.FingerprintOf(Stale, state.Monitor))];

    /// <summary>What makes it the same blind part in the next check.</summary>
    public static string FingerprintOfPart(string monitor, string part) => Finding.FingerprintOf(Stale, $"{monitor} {part}");

    /// <summary>The finding of a monitor's part, such as an account, that was last seen too long ago; else null.</summary>
    public static Finding? FindPart(string monitor, string part, TimeSpan interval, DateTimeOffset seenAt, string error, DateTimeOffset now)
    {
        var state = new MonitorState(monitor, interval, seenAt, seenAt, CanBeJudged: true, error);
        if (!IsStale(state, now))
            return null;
        var whole = Find(state, now);
        whole.Evidence.Values["part"] = part;
        return whole with
        {
            Subject = new EventSubject("part", $"{monitor} {part}"),
            Title = $"Monitor {monitor} is blind to {part}",
            Description = $"Checks succeed with the other parts; of this one nothing is known since {seenAt:yyyy-MM-dd HH:mm:ss}Z. The newest fault: {error}",
            RelatedAddresses = part.StartsWith("0x", StringComparison.Ordinal) ? [part] : [],
        };
    }

    /// <summary>The finding of a live feed that does not work since a moment, or none.</summary>
    public static IReadOnlyList<Finding> EvaluateFeed(DateTimeOffset? downSince, DateTimeOffset now)
    {
        if (downSince is not { } since || now - since < AtLeast)
            return [];
        var (age, limit) = ((now - since).TotalSeconds, AtLeast.TotalSeconds);
        var evidence = new Evidence(
            new JsonObject { ["down_since"] = since.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), ["age_seconds"] = age },
            new JsonObject { ["limit_seconds"] = limit },
            [$"down for {age:0} s >= {limit:0} s: low"]);
        return [new Finding(FeedDown, RuleVersion: 1, "feed_down", Severity.Low, new EventSubject("feed", "hyperliquid"),
            "The live feed of hyperliquid is down",
            "No check is triggered between grid times; everything is still found at the next grid time.", evidence, [], EstimatedLossUsd: null)];
    }

    private static Finding Find(MonitorState state, DateTimeOffset now)
    {
        var (age, limit) = ((now - state.Since).TotalSeconds, Limit(state.Interval).TotalSeconds);
        var evidence = new Evidence(
            new JsonObject
            {
                ["monitor"] = state.Monitor, ["age_seconds"] = age, ["interval_seconds"] = state.Interval.TotalSeconds,
                ["last_success_at"] = state.LastSuccessAt?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), ["last_error"] = state.LastError,
            },
            new JsonObject { ["limit_seconds"] = limit },
            [
                $"limit = max({Intervals} * {state.Interval.TotalSeconds:0} s, {AtLeast.TotalSeconds:0} s) = {limit:0} s",
                $"age of the {(state.LastSuccessAt is null ? "worker, which has had no success," : "newest success")} = {age:0} s{(age < 0 ? $" <= -{limit:0} s, which lies ahead of the clock" : $" >= {limit:0} s")}: high",
            ]);
        return new Finding(Stale, RuleVersion: 1, "monitor_stale", Severity.High, new EventSubject("monitor", state.Monitor),
            $"Monitor {state.Monitor} is blind",
            $"{(state.LastSuccessAt is { } success ? $"The newest successful check is that of {success:yyyy-MM-dd HH:mm:ss}Z" : "No check has succeeded yet")}; nothing is known of what "
            + $"it watches since.{(state.LastError is null ? "" : $" The newest fault: {state.LastError}")}", evidence, [], EstimatedLossUsd: null);
    }
}
