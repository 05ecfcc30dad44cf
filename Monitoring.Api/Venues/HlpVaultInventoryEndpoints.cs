using Monitoring.Api.Http;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>
/// An open position of a component vault at one check: signed size in base units, money in USD, <c>share_pct</c> of the parent's equity and
/// <c>open_interest_pct</c> of the coin's open interest, null where their base is not known or not above zero.
/// </summary>
public sealed record HlpVaultPositionView(
    DateTimeOffset Timestamp, string VaultAddress, string ParentAddress, string Coin, decimal Size, decimal NotionalUsd, decimal UnrealizedPnl,
    decimal? SharePct, decimal? OpenInterestPct);

/// <summary>A page of positions.</summary>
public sealed record HlpVaultInventoryPage(IReadOnlyList<HlpVaultPositionView> Inventory, string? Next) : Page<HlpVaultPositionView>(Inventory, Next);

/// <summary>The route of what the component vaults hold.</summary>
internal static class HlpVaultInventoryEndpoints
{
    private static readonly WholeParameter Limit = new("limit", 1, 500, 100, "How many positions at most.");
    private static readonly WholeParameter Hours = new("hours", 1, 8760, null, "Only the last so many hours.");
    private static readonly CursorParameter<InventoryCursor> Before = new(parts =>
        parts.Length == 3 && !parts[1].Contains('\0') && !parts[2].Contains('\0') && Cursor.ParseTime(parts[0]) is { } at ? new InventoryCursor(at, parts[1], parts[2]) : null);

    public static void MapHlpVaultInventory(this IEndpointRouteBuilder routes) =>
        PageResult<HlpVaultInventoryPage, HlpVaultPositionView>.Describe(routes.MapGet("/security/hlp-vault/inventory", ListHlpVaultInventory)
            .WithName(nameof(ListHlpVaultInventory)).WithTags("HLP vault").WithParameters(Limit, Before, Hours));

    /// <summary>What the component vaults hold: the newest check first, within a check by component and coin.</summary>
    internal static async Task<IResult> ListHlpVaultInventory(HttpRequest request, HlpVaultInventory inventory, TimeProvider clock, CancellationToken cancellationToken)
    {
        var limit = Limit.Read(request);
        var since = Hours.Find(request) is { } hours ? clock.GetUtcNow().AddHours(-hours) : DateTimeOffset.UnixEpoch;
        var rows = await inventory.ListAsync(since, Before.Find(request), limit, cancellationToken);
        return new PageResult<HlpVaultInventoryPage, HlpVaultPositionView>(new HlpVaultInventoryPage(
            [.. rows.Select(row => new HlpVaultPositionView(row.ObservedAt, row.VaultAddress, row.ParentAddress, row.Coin, row.Size, row.NotionalUsd,
                row.UnrealizedPnl, row.SharePct, row.OpenInterestPct))],
            rows.Count == limit ? Cursor.Encode(rows[^1].ObservedAt, rows[^1].VaultAddress, rows[^1].Coin) : null));
    }
}
