using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Faults;

/// <summary>
/// The faults that a scenario brings by itself, each from its moment for its seconds. Clearing the switch does not end them.
/// </summary>
internal sealed class TimedFaults(Scenario scenario)
{
    private readonly Move[] _moves = [.. scenario.Timeline().Where(move => move.Fault is not null)];

    /// <summary>The kinds that a scenario may name: all but those that need a delay or a type of their own.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<FaultKind>()
        .Where(kind => kind is not (FaultKind.Slow or FaultKind.NoComponents) && !FaultNames.OfFeedOnly.Contains(kind))
        .Select(FaultNames.Of)];

    /// <summary>The kind of that name, if a scenario may name it.</summary>
    public static FaultKind? Find(string name) =>
        Names.Contains(name, StringComparer.Ordinal) ? Enum.GetValues<FaultKind>().Single(kind => FaultNames.Of(kind) == name) : null;

    /// <summary>The fault that a request of this type meets at a second of the scenario.</summary>
    public Fault? FindAt(decimal second, string type) =>
        Array.Find(_moves, move => second >= move.At && second < move.At + move.Fault!.Seconds
            && (move.Fault.Type is null || move.Fault.Type == type)) is { Fault: { } due }
            ? new Fault(Find(due.Kind)!.Value, due.Type)
            : null;
}
