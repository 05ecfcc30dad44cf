using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Watching;

/// <summary>
/// Lets the watchdog report a clock that is wrong. It remembers for a while what was seen of it, because a clock that is set and set back
/// between two looks is worth knowing too.
/// </summary>
internal sealed class ClockHealth(WorkerClock clock, EventSnapshot snapshot, WorkerIdentity identity) : IWatchdogSource
{
    private static readonly TimeSpan RememberedFor = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (ClockDifference Difference, long At)> _seen = [];

    /// <inheritdoc/>
    public IReadOnlyList<Rule> Rules => [EngineRules.ClockOff];

    /// <inheritdoc/>
    public IReadOnlyList<string> Unjudged => snapshot.OfOtherHosts(EngineRules.ClockOff, identity);

    /// <summary>Notes how far the clocks differ now.</summary>
    public void Note()
    {
        lock (_lock)
        {
            foreach (var (name, seen) in _seen)
                if (clock.GetElapsedTime(seen.At) > RememberedFor)
                    _seen.Remove(name);
            foreach (var difference in clock.Differences.Where(ClockRules.IsOff))
                if (!_seen.TryGetValue(difference.Clock, out var seen) || difference.AtLeast >= seen.Difference.AtLeast)
                    _seen[difference.Clock] = (difference, clock.GetTimestamp());
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> LookAsync(DateTimeOffset at, CancellationToken cancellationToken)
    {
        Note();
        lock (_lock)
            return Task.FromResult(ClockRules.Evaluate(identity.Host, [.. _seen.Values.Select(seen => seen.Difference)]));
    }
}

/// <summary>The rule of clocks: two that differ cannot both be right, and times decide what is new and what is kept.</summary>
internal static class ClockRules
{
    /// <summary>Whether this is more than clocks may differ.</summary>
    public static bool IsOff(ClockDifference difference) => difference.AtLeast >= EngineRules.ClockOffSeconds.Span();

    /// <summary>One finding for a machine, which names every clock that its own differs from.</summary>
    public static IReadOnlyList<Finding> Evaluate(string host, IReadOnlyList<ClockDifference> differences)
    {
        if (differences.Where(IsOff).OrderByDescending(difference => difference.AtLeast).ToList() is not { Count: > 0 } off)
            return [];
        var (wrong, limit) = (EngineRules.ClockWrongSeconds.Span(), EngineRules.ClockOffSeconds.Span());
        var severity = off[0].AtLeast >= wrong ? Severity.High : Severity.Medium;
        var evidence = new Evidence(
            new JsonObject
            {
                ["host"] = host, ["ahead_seconds"] = Seconds(off[0].Ahead),
                ["clocks"] = new JsonObject([.. off.Select(one => KeyValuePair.Create(one.Clock, (JsonNode?)Seconds(one.Ahead)))]),
            },
            new JsonObject
            {
                [EngineRules.ClockOffSeconds.Name] = limit.TotalSeconds, [EngineRules.ClockWrongSeconds.Name] = wrong.TotalSeconds,
            },
            [.. off.Select(one => $"{host} against {one.Clock}: {Seconds(one.AtLeast)} s >= {limit.TotalSeconds:0} s"
                + (one.AtLeast >= wrong ? $" and >= {wrong.TotalSeconds:0} s: high" : ": medium"))]);
        return [EngineRules.ClockOff.Find(severity, new EventSubject("host", host),
            $"The clock of {host} is {Say(off[0])}",
            $"{host}'s clock is {string.Join(", ", off.Select(Say))}. "
            + (severity == Severity.High
                ? "Until they agree no partition is dropped, and results are stored under the database's time." : "Up to a minute its own "
                + "time is stored."), evidence, threshold: Math.Sign(off[0].Ahead.Ticks)
            * (decimal)(severity == Severity.High ? wrong : limit).TotalSeconds)];
    }

    private static string Say(ClockDifference one) =>
        $"{Seconds(one.Ahead.Duration())} s {(one.Ahead > TimeSpan.Zero ? "ahead of" : "behind")} {one.Clock}";

    private static decimal Seconds(TimeSpan span) => Math.Round((decimal)span.TotalSeconds, 1);
}
