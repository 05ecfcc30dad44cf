namespace Monitoring.Simulator.Faults;

/// <summary>A fault in force: for one type or all, for one account or all, for a number of answers or until it is cleared.</summary>
internal sealed record Fault(
    FaultKind Kind, string? Type = null, int? Count = null, decimal? Seconds = null, int? RetryAfter = null, string? Account = null);
