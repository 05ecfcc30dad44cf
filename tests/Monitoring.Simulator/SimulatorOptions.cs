using Monitoring.Simulator.Model;

namespace Monitoring.Simulator;

/// <summary>
/// What a simulator is started with; port 0 takes any free one, and second 0 is now unless <see cref="Start"/> says otherwise.
/// </summary>
internal sealed record SimulatorOptions(Scenario Scenario)
{
    public int Port { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public DateTimeOffset? Start { get; init; }

    /// <summary>Weight that the venue takes in a minute.</summary>
    public int WeightLimit { get; init; } = Info.WeightMeter.VenueLimit;
}
