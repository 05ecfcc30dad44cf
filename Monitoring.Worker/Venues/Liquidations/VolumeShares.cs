using System.Text.Json.Nodes;
using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>A coin's volume of 24 h in USD, and when it was read.</summary>
internal sealed record CoinVolume(decimal Usd, DateTimeOffset At)
{
    // Below it a share says nothing, and a division may overflow.
    private const decimal LeastUsd = 1;

    /// <summary>The volume, or null where the venue gave none that can be believed: zero is neither calm nor an attack.</summary>
    public static CoinVolume? Of(decimal? usd, DateTimeOffset at) => usd >= LeastUsd ? new CoinVolume(usd.Value, at) : null;
}

/// <summary>Holds what was liquidated within seconds against the coin's volume of 24 h.</summary>
internal static class VolumeShares
{
    private const string Peak = "peak_usd";

    /// <summary>The indicator that holds the coin's volume of 24 h.</summary>
    public const string Volume = "day_volume_usd";

    private const string VolumeAt = "day_volume_at";
    private const string Share = "volume_share_pct";

    /// <summary>
    /// The patterns; those of a flash loan carry volume and share among their indicators, the volume null where it is not known. The
    /// largest sum and the largest share stay, whatever of the pattern has become too old for the history since it was
    /// <paramref name="known"/>.
    /// </summary>
    public static IReadOnlyList<LiquidationPattern> Mark(
        IEnumerable<LiquidationPattern> patterns, IReadOnlyDictionary<string, LiquidationPattern> known,
        IReadOnlyDictionary<string, CoinVolume> volumes) =>
        [.. patterns.Select(pattern => pattern.PatternType == LiquidationPatternType.FlashLoan
            ? Mark(pattern, known.GetValueOrDefault(pattern.PatternId), volumes.GetValueOrDefault(pattern.Subject)) : pattern)];

    /// <summary>The share of the volume that a pattern of a flash loan is, percent; null where it is not known.</summary>
    public static decimal? Of(LiquidationPattern pattern) => Number(Read(pattern), Share);

    /// <summary>How an event says it.</summary>
    public static string Describe(JsonObject indicators) => Number(indicators, Share) is { } share
        ? $"{share:0.##} % of the coin's volume of 24 h"
        : "the coin's volume of 24 h is not known";

    /// <summary>The comparison, as a line for people.</summary>
    public static string Line(JsonObject indicators, LiquidationThresholds limits) =>
        Number(indicators, Share) is { } share && Number(indicators, Volume) is { } volume
            ? $"share = 100 * {Number(indicators, Peak):0.00} / {volume:0.00} (volume of 24 h at {(string?)indicators[VolumeAt]}) = "
                + $"{share} % {(share >= limits.FlashLoanVolumePct ? $">= {limits.FlashLoanVolumePct} %: critical"
                    : $"< {limits.FlashLoanVolumePct} %: medium")}"
            : $"share: not known, the venue gave no volume of 24 h; medium until it does, critical from {limits.FlashLoanVolumePct} %";

    private static LiquidationPattern Mark(LiquidationPattern pattern, LiquidationPattern? known, CoinVolume? volume)
    {
        var (indicators, earlier) = (Read(pattern), known is null ? [] : Read(known));
        var peak = Math.Max(Number(indicators, Peak) ?? 0, Number(earlier, Peak) ?? 0);
        indicators[Peak] = peak;
        var (usd, at) = Number(earlier, Volume) is { } before && !(volume?.Usd < before)
            ? (before, (string?)earlier[VolumeAt])
            : (volume?.Usd, volume is null ? null : LiquidationRules.Utc(volume.At));
        (indicators[Volume], indicators[VolumeAt]) = (usd, at);
        // Cut, not rounded: no share reaches a threshold that it is below.
        indicators[Share] = usd is null ? null : decimal.Round(100 * peak / usd.Value, 6, MidpointRounding.ToZero);
        return pattern with { Indicators = indicators.ToJsonString() };
    }

    private static JsonObject Read(LiquidationPattern pattern) => JsonNode.Parse(pattern.Indicators)!.AsObject();

    private static decimal? Number(JsonObject indicators, string name) =>
        indicators[name] is JsonValue value && value.TryGetValue<decimal>(out var number) ? number : null;
}
