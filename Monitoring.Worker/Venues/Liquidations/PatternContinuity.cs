using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// Lets a pattern found again keep its identity. Its start may have moved: back, when an account was read later than
/// others, or on, when its beginning has become too old for the history.
/// </summary>
internal static class PatternContinuity
{
    /// <summary>The found patterns under the ids of known ones of the same type and subject whose time they touch.</summary>
    public static IReadOnlyList<LiquidationPattern> Continue(
        IReadOnlyList<LiquidationPattern> known, IEnumerable<LiquidationPattern> found) =>
        [.. found.Select(pattern => Earlier(known, pattern) is { } same ? Continue(same, pattern) : pattern)
            .GroupBy(pattern => pattern.PatternId).Select(same => same.MaxBy(pattern => pattern.EndTime)!)];

    private static LiquidationPattern? Earlier(IEnumerable<LiquidationPattern> known, LiquidationPattern pattern) => known
        .Where(same => same.PatternType == pattern.PatternType && same.Subject == pattern.Subject
            && same.StartTime <= pattern.EndTime && pattern.StartTime <= same.EndTime)
        .MinBy(same => same.StartTime);

    private static LiquidationPattern Continue(LiquidationPattern known, LiquidationPattern found)
    {
        var (start, end) = (known.StartTime < found.StartTime ? known.StartTime : found.StartTime,
            known.EndTime > found.EndTime ? known.EndTime : found.EndTime);
        return found with
        {
            PatternId = known.PatternId, StartTime = start, EndTime = end, DurationSeconds = (decimal)(end - start).TotalSeconds,
            TotalLiquidatedUsd = Math.Max(known.TotalLiquidatedUsd, found.TotalLiquidatedUsd),
            AffectedUsers = Math.Max(known.AffectedUsers, found.AffectedUsers),
            LiquidationCount = Math.Max(known.LiquidationCount, found.LiquidationCount),
            SuspicionScore = Math.Max(known.SuspicionScore, found.SuspicionScore),
        };
    }
}
