using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>A share of HLP's equity that was next to nothing, and when it was last seen so.</summary>
internal sealed record ShareLow(DateTimeOffset At, decimal SharePct);

/// <summary>
/// What is known of a position's share within the window of a take-over: when it was last next to nothing, or else whether the whole
/// window is known, so that it never was.
/// </summary>
internal sealed record SharePast(ShareLow? Low, bool IsWhole)
{
    /// <summary>Nothing is known.</summary>
    public static readonly SharePast Unknown = new(null, IsWhole: false);
}

/// <summary>
/// An open position, and its share of HLP's equity at the check before: 0 when it was not held then, null when that is not known.
/// </summary>
internal sealed record InventoryStep(HlpVaultPosition Position, decimal? EarlierSharePct)
{
    // Longer than this means never, and needs no more digits than a number has.
    private const decimal MostHours = 100_000;

    /// <summary>The coin's volume of the last 24 h in USD, above zero; null where the venue gives none.</summary>
    public decimal? DayVolumeUsd { get; init; }

    /// <summary>Its share before.</summary>
    public SharePast Past { get; init; } = SharePast.Unknown;

    /// <summary>By how many points of HLP's equity the position grew.</summary>
    public decimal? JumpPoints => Position.SharePct - EarlierSharePct;

    /// <summary>How long leaving the position takes at a share of the coin's volume; null while that is not known.</summary>
    public decimal? FindHoursToExit(decimal volumePct)
    {
        if (DayVolumeUsd is not { } volume)
            return null;
        var perHour = volumePct / 100 * volume / 24;
        return Position.NotionalUsd / MostHours >= perHour ? MostHours : decimal.Round(Position.NotionalUsd / perHour, 2);
    }
}
