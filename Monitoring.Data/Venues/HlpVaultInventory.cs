using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>
/// An open position of a component vault at one check. <paramref name="Size"/> is signed and in base units, the notional is not signed, money in USD.
/// <paramref name="SharePct"/> is the notional in percent of the parent's equity, <paramref name="OpenInterestPct"/> the size in percent of the coin's open
/// interest; null where the base of the share is not known or not above zero.
/// </summary>
public sealed record HlpVaultPosition(
    string VaultAddress, string ParentAddress, string Coin, DateTimeOffset ObservedAt, decimal Size, decimal NotionalUsd, decimal UnrealizedPnl,
    decimal? SharePct, decimal? OpenInterestPct) : Observation;

/// <summary>Where a page of positions goes on: after this row in the list's order.</summary>
public sealed record InventoryCursor(DateTimeOffset ObservedAt, string VaultAddress, string Coin);

/// <summary>The table <c>hlp_vault_inventory</c>, partitioned by day of <c>observed_at</c>.</summary>
public sealed class HlpVaultInventory(NpgsqlDataSource db) : IObservationTable
{
    private const string Columns = """
        vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl, share_pct, open_interest_pct
        """;

    private const string InsertSql = $"""
        INSERT INTO hlp_vault_inventory ({Columns})
        SELECT {Columns}
          FROM unnest(@vaults, @parents, @coins, @times, @sizes, @notionals, @pnls, @shares, @openInterests) AS row ({Columns})
        ON CONFLICT (vault_address, coin, observed_at) DO NOTHING
        """;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(IReadOnlyList<Observation> observations, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = observations.OfType<HlpVaultPosition>().ToList();
        return rows.Count == 0 ? 0 : await transaction.Connection!.ExecuteAsync(new(InsertSql, new
        {
            vaults = rows.Select(row => row.VaultAddress).ToArray(),
            parents = rows.Select(row => row.ParentAddress).ToArray(),
            coins = rows.Select(row => row.Coin).ToArray(),
            times = rows.Select(row => row.ObservedAt.UtcDateTime).ToArray(),
            sizes = rows.Select(row => row.Size).ToArray(),
            notionals = rows.Select(row => row.NotionalUsd).ToArray(),
            pnls = rows.Select(row => row.UnrealizedPnl).ToArray(),
            shares = rows.Select(row => row.SharePct).ToArray(),
            openInterests = rows.Select(row => row.OpenInterestPct).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
    }

    private const string ListSql = $"""
        SELECT {Columns}
          FROM hlp_vault_inventory
         WHERE observed_at >= @since
           AND observed_at < @until
           AND observed_at <= @beforeObservedAt
           AND (observed_at < @beforeObservedAt OR (vault_address, coin) > (@beforeVault, @beforeCoin))
         ORDER BY observed_at DESC, vault_address, coin
         LIMIT @limit
        """;

    /// <summary>Positions seen in [since, until), the newest check first and within it by component and coin; going on after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<HlpVaultPosition>> ListAsync(
        DateTimeOffset since, DateTimeOffset until, InventoryCursor? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultPosition>(new(ListSql, new
        {
            since,
            until,
            beforeObservedAt = after?.ObservedAt ?? DateTimeOffset.MaxValue,
            beforeVault = after?.VaultAddress ?? "",
            beforeCoin = after?.Coin ?? "",
            limit,
        }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListNewestSql = $"""
        SELECT {Columns}
          FROM hlp_vault_inventory
         WHERE parent_address = @parent
           AND observed_at = (SELECT observed_at
                                FROM hlp_vault_inventory
                               WHERE parent_address = @parent AND observed_at >= @since
                               ORDER BY observed_at DESC
                               LIMIT 1)
         ORDER BY vault_address, coin
         LIMIT 10000
        """;

    /// <summary>What the newest check since a moment saw of a vault's components; empty when there was none.</summary>
    public async Task<IReadOnlyList<HlpVaultPosition>> ListNewestAsync(string parent, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultPosition>(new(ListNewestSql, new { parent, since }, cancellationToken: cancellationToken))).AsList();
    }
}
