using Monitoring.Data.Events;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>
/// How one asset's oracle price was found. Not judged with fewer than two references; the severity is null where no rule fires.
/// <paramref name="References"/> are those it was held against; a price that cannot be is judged without any, and has no reference price
/// then.
/// </summary>
internal sealed record OracleVerdict(
    OracleReading Reading, IReadOnlyList<Reference> References, decimal? ReferencePrice, decimal MaxDeviationPct, string MaxDeviationSource,
    bool IsJudged, DateTimeOffset? BreachedSince, decimal? FloorPct, Severity? Severity, bool IsDangerous,
    OracleRisk? Risk, bool WithoutUsd)
{
    /// <summary>Seconds since the first check of the breach; 0 outside one.</summary>
    public int DurationSeconds => BreachedSince is { } since ? (int)(Reading.At - since).TotalSeconds : 0;
}

/// <summary>The risk score's two parts, 0–60 and 0–40.</summary>
internal sealed record OracleRisk(decimal Size, decimal Duration)
{
    /// <summary>0–100.</summary>
    public decimal Total => Size + Duration;
}

/// <summary>
/// Most assets off their USD references in one direction by a like amount: then it is the quote currency that moved.
/// <paramref name="Assets"/> are those off by it.
/// </summary>
internal sealed record CommonMode(decimal ShiftPct, IReadOnlySet<string> Assets, int Compared);
