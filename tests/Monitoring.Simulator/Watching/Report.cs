using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Watching;

/// <summary>How an expected event came out.</summary>
internal enum Outcome { Found, Late, Missed, NotSeen }

/// <summary>
/// An expected event and what became of it; seconds run from its cause to the stored change, and to the delivered message about it.
/// </summary>
internal sealed record ExpectedResult(
    ExpectedView Expected, Outcome Outcome, Severity? Severity, decimal? Seconds, decimal? ToldSeconds, string? Title)
{
    public bool Passed => Outcome is Outcome.Found or Outcome.NotSeen;
}

/// <summary>An event that nothing in the scenario accounts for.</summary>
internal sealed record UnexpectedEvent(WatchedEvent Event, ChangeView Change);

/// <summary>The expected events against those raised.</summary>
internal sealed record Report(IReadOnlyList<ExpectedResult> Expected, IReadOnlyList<UnexpectedEvent> Unexpected)
{
    /// <summary>How far a stored time, cut to the second, may lie before what it belongs to.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How many seconds the first finding of a position came before the first of a loss, and of which rules they were, when both were
    /// found: a position is seen before its loss is booked.
    /// </summary>
    public (decimal Seconds, string PositionRule, string LossRule)? PositionLead
    {
        get
        {
            DateTimeOffset? At(ExpectedResult result) =>
                result.Seconds is { } seconds ? result.Expected.CauseAt.AddSeconds((double)seconds) : null;
            ExpectedResult? FirstOf(string[] rules) =>
                Expected.Where(result => rules.Contains(result.Expected.Rule) && At(result) is not null).MinBy(At);
            return FirstOf(PositionRules) is { } position && FirstOf(LossRules) is { } loss
                ? ((decimal)(At(loss)! - At(position)!).Value.TotalSeconds, position.Expected.Rule, loss.Expected.Rule)
                : null;
        }
    }

    private static readonly string[] PositionRules = ["hlp.inventory", "hlp.takeover"];
    private static readonly string[] LossRules = ["hlp.loss", "hlp.drawdown", "hlp.sigma", "hlp.anomaly"];

    public bool AllFound => Expected.All(result => result.Passed);

    public bool Passed => AllFound && Unexpected.Count == 0;

    public static Report Of(ScenarioView scenario, IReadOnlyCollection<WatchedEvent> events) => new(
        [.. scenario.Expected.Select(expected => Result(expected, events))],
        [.. events.SelectMany(watched => Unexplained(watched, scenario)).OrderBy(unexpected => unexpected.Change.ChangedAt)]);

    private static ExpectedResult Result(ExpectedView expected, IReadOnlyCollection<WatchedEvent> events)
    {
        var first = events
            .Where(watched => watched.Event.RuleId == expected.Rule)
            .SelectMany(watched => watched.Changes.Select(change => (Watched: watched, Change: change)))
            .Where(pair => Answers(pair.Change, expected) && pair.Change.Severity >= expected.Severity)
            .OrderBy(pair => pair.Change.ChangedAt)
            .FirstOrDefault();
        if (first.Watched is null)
            return new(expected, expected.Required ? Outcome.Missed : Outcome.NotSeen, null, null, null, null);
        var seconds = (decimal)(first.Change.ChangedAt - expected.CauseAt).TotalSeconds;
        var told = (decimal?)(first.Watched.ToldAt(first.Change) - expected.CauseAt)?.TotalSeconds;
        return new(expected, seconds <= expected.WithinSeconds ? Outcome.Found : Outcome.Late, first.Change.Severity,
            seconds, told, first.Watched.Event.Title);
    }

    /// <summary>The first rise of an event to what may not be raised unexpectedly, if no expected event accounts for it.</summary>
    private static IEnumerable<UnexpectedEvent> Unexplained(WatchedEvent watched, ScenarioView scenario) => watched.Changes
        .Where(change => change.IsRise && change.Severity >= scenario.UnexpectedFrom
            && !scenario.Expected.Any(expected => expected.Rule == watched.Event.RuleId && Answers(change, expected)))
        .Take(1)
        .Select(change => new UnexpectedEvent(watched, change));

    private static bool Answers(ChangeView change, ExpectedView expected) =>
        change.IsRise && change.ChangedAt >= expected.CauseAt - Tolerance;
}
