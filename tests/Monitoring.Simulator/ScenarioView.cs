using Monitoring.Simulator.Model;

namespace Monitoring.Simulator;

/// <summary>GET /scenario: what is played, since when, and which events it should raise.</summary>
internal sealed record ScenarioView(
    string Name,
    string Description,
    DateTimeOffset Start,
    decimal ElapsedSeconds,
    int DurationSeconds,
    Severity UnexpectedFrom,
    IReadOnlyList<ExpectedView> Expected)
{
    public DateTimeOffset End => Start.AddSeconds(DurationSeconds);

    public static ScenarioView Of(Venue venue) => new(
        venue.Scenario.Name, venue.Scenario.Description, venue.Start, venue.Now.Seconds,
        venue.Scenario.DurationSeconds, venue.Scenario.UnexpectedFrom,
        [.. venue.Scenario.Expected.Select(expected => new ExpectedView(
            expected.Rule, expected.Severity, venue.TimeOf(expected.CauseAt), expected.WithinSeconds, expected.Required, expected.Note))]);
}

/// <summary>An event that should be raised, with the wall time of its cause.</summary>
internal sealed record ExpectedView(string Rule, Severity Severity, DateTimeOffset CauseAt, int WithinSeconds, bool Required, string? Note);
