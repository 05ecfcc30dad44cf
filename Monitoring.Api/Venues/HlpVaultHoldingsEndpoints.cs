using Microsoft.AspNetCore.Http.HttpResults;
using Monitoring.Api.Http;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>
/// The largest notional (USD) and share of the parent's equity (percent) within the slot that begins at <c>timestamp</c>.
/// </summary>
public sealed record HoldingPointView(DateTimeOffset Timestamp, decimal NotionalUsd, decimal? SharePct);

/// <summary>What a component vault held in one coin, in slots; a slot in which it was not seen is missing.</summary>
public sealed record HoldingView(string VaultAddress, string Coin, IReadOnlyList<HoldingPointView> Points);

/// <summary>
/// The positions of the newest check, largest first, and the past of the holdings that were the largest at any time
/// within the window, in slots of <c>slot_seconds</c>. <c>position_count</c> counts all positions of that check;
/// <c>timestamp</c> is null while none is stored.
/// </summary>
public sealed record HoldingsAnswer(
    bool Success, DateTimeOffset? Timestamp, double? AgeSeconds, int PositionCount,
    IReadOnlyList<HlpVaultPositionView> Positions, int SlotSeconds, IReadOnlyList<HoldingView> Holdings);

/// <summary>The route of what the vault holds and held most of, as the page draws it.</summary>
internal static class HlpVaultHoldingsEndpoints
{
    private const int Slots = 240;
    private const int HoursInSlots = 24; // beyond, the kept hourly peaks

    private static readonly WholeParameter Hours = new("hours", 1, 168, 24, "The past of the last so many hours.");
    private static readonly WholeParameter Top = new("top", 1, 20, 5, "How many positions and how many holdings at most.");

    public static void MapHlpVaultHoldings(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/security/hlp-vault/holdings", GetHlpVaultHoldings).WithName(nameof(GetHlpVaultHoldings))
            .WithTags("HLP vault").WithParameters(Hours, Top);

    /// <summary>What the component vaults hold most of now, and what they held most of within the last hours.</summary>
    internal static async Task<Ok<HoldingsAnswer>> GetHlpVaultHoldings(
        HttpRequest request, HlpVaultInventory inventory, TimeProvider clock, CancellationToken cancellationToken)
    {
        var hours = Hours.Read(request);
        var top = Top.Read(request);
        var slot = hours <= HoursInSlots ? TimeSpan.FromHours(hours) / Slots : TimeSpan.FromHours(1);
        var now = clock.GetUtcNow();
        var newest = await inventory.ListNewestCheckAsync(now.AddHours(-hours), now.AddSeconds(1), cancellationToken);
        var peaks = await inventory.ListPeaksAsync(now.AddHours(-hours), now, slot, top, cancellationToken);
        DateTimeOffset? seenAt = newest is [var first, ..] ? first.ObservedAt : null;
        return TypedResults.Ok(new HoldingsAnswer(true, seenAt, seenAt is { } at ? Math.Round((now - at).TotalSeconds, 1) : null,
            newest.Count, [.. newest.Take(top).Select(HlpVaultPositionView.Of)], (int)slot.TotalSeconds,
            [.. peaks.GroupBy(peak => (peak.VaultAddress, peak.Coin)).OrderByDescending(held => held.Max(peak => peak.NotionalUsd))
                .Select(held => new HoldingView(held.Key.VaultAddress, held.Key.Coin,
                    [.. held.Select(peak => new HoldingPointView(peak.SlotAt, peak.NotionalUsd, peak.SharePct))]))]));
    }
}
