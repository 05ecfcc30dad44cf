using Monitoring.Api.Http;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>
/// An open position of a component vault at one check: signed size in base units, money in USD, <c>share_pct</c> of the parent's equity and
/// <c>open_interest_pct</c> of the coin's open interest, null where their base is not known or not above zero.
/// </summary>
public sealed record HlpVaultPositionView(
    DateTimeOffset Timestamp, string VaultAddress, string ParentAddress, string Coin, decimal Size, decimal NotionalUsd,
    decimal UnrealizedPnl, decimal? SharePct, decimal? OpenInterestPct)
{
    internal static HlpVaultPositionView Of(HlpVaultPosition row) => new(
        row.ObservedAt, row.VaultAddress, row.ParentAddress, row.Coin, row.Size, row.NotionalUsd, row.UnrealizedPnl,
        row.SharePct, row.OpenInterestPct);
}

/// <summary>A page of positions.</summary>
public sealed record HlpVaultInventoryPage(
    IReadOnlyList<HlpVaultPositionView> Inventory, string? Next) : Page<HlpVaultPositionView>(Inventory, Next);

/// <summary>The route of what the component vaults hold.</summary>
internal static class HlpVaultInventoryEndpoints
{
    private static readonly ListOf<HlpVaultInventoryPage, HlpVaultPosition, HlpVaultPositionView, InventoryCursor> Positions = new(
        new WholeParameter("limit", 1, 500, 100, "How many positions at most."),
        row => new InventoryCursor(row.ObservedAt, row.VaultAddress, row.Coin), HlpVaultPositionView.Of,
        (rows, next) => new HlpVaultInventoryPage(rows, next), WindowParameters.OfHours(8760, null));

    public static void MapHlpVaultInventory(this IEndpointRouteBuilder routes) =>
        Positions.Describe(routes.MapGet("/security/hlp-vault/inventory", ListHlpVaultInventory)
            .WithName(nameof(ListHlpVaultInventory)).WithTags("HLP vault"));

    /// <summary>What the component vaults hold: the newest check first, within a check by component and coin.</summary>
    internal static IResult ListHlpVaultInventory(HlpVaultInventory inventory) =>
        Positions.Answer((window, after, limit, cancellationToken) =>
            inventory.ListAsync(window.Since, window.End, after, limit, cancellationToken));
}
