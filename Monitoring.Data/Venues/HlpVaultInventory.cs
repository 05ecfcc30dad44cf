using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>
/// An open position of a component vault at one check. <paramref name="Size"/> is signed and in base units, the
/// notional is not signed, money in USD. <paramref name="SharePct"/> is the notional in percent of the parent's equity,
/// <paramref name="OpenInterestPct"/> the size in percent of the coin's open interest; null where the base of the share
/// is not known or not above zero.
/// </summary>
public sealed record HlpVaultPosition(
    string VaultAddress, string ParentAddress, string Coin, DateTimeOffset ObservedAt, decimal Size,
    decimal NotionalUsd, decimal UnrealizedPnl, decimal? SharePct, decimal? OpenInterestPct) : Observation
{
    /// <inheritdoc/>
    public override Observation At(DateTimeOffset scheduledAt) => this with { ObservedAt = scheduledAt };
}

/// <summary>
/// A position that was above a share at some check of a window: when its component was first read within the window, when its share was
/// last not above that, and what it was then (0 where it was not held); null where it never was.
/// </summary>
public sealed record HlpVaultPositionLow(
    string VaultAddress, string Coin, DateTimeOffset FirstReadAt, DateTimeOffset? LowAt, decimal LowSharePct);

/// <summary>
/// The largest notional (USD) and share of the parent's equity (percent) that a component held in a coin within one slot of time.
/// </summary>
public sealed record HlpVaultPositionPeak(string VaultAddress, string Coin, DateTimeOffset SlotAt, decimal NotionalUsd, decimal? SharePct);

/// <summary>Where a page of positions goes on: after this row in the list's order.</summary>
public sealed record InventoryCursor(DateTimeOffset ObservedAt, string VaultAddress, string Coin);

/// <summary>The table <c>hlp_vault_inventory</c>, partitioned by day of <c>observed_at</c>.</summary>
public sealed class HlpVaultInventory(DatabaseConnections db) : IObservationTable
{
    /// <summary>The table's name: its days are dropped when their retention is over.</summary>
    public const string TableName = "hlp_vault_inventory";

    private const string Columns = """
        vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl, share_pct, open_interest_pct
        """;

    private const string CopySql = $"""
        COPY hlp_vault_inventory ({Columns})
        FROM STDIN (FORMAT binary)
        """;

    private const string ListKeysSql = """
        SELECT vault_address, coin, observed_at
          FROM hlp_vault_inventory
         WHERE observed_at = ANY (@times)
         LIMIT 100000
        """;

    private const string KeepPeaksSql = """
        INSERT INTO hlp_vault_inventory_hours AS kept (vault_address, coin, hour_at, notional_usd, share_pct)
        SELECT vault_address, coin, date_bin('1 hour', observed_at, 'epoch'), max(notional_usd), max(share_pct)
          FROM hlp_vault_inventory
         WHERE observed_at = ANY (@times)
         GROUP BY 1, 2, 3
        ON CONFLICT (vault_address, coin, hour_at) DO UPDATE
           SET notional_usd = greatest(kept.notional_usd, excluded.notional_usd), share_pct = greatest(kept.share_pct, excluded.share_pct)
         WHERE excluded.notional_usd > kept.notional_usd OR excluded.share_pct > coalesce(kept.share_pct, -1)
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Check;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var inserted = await Rows.InsertAsync(observations, someAreThere, transaction, cancellationToken);
        if (inserted > 0)
            await transaction.Connection!.ExecuteAsync(new(KeepPeaksSql,
                new { times = observations.OfType<HlpVaultPosition>().Select(row => row.ObservedAt.UtcDateTime).Distinct().ToArray() },
                transaction, cancellationToken: cancellationToken));
        return inserted;
    }

    private static readonly CheckRows<HlpVaultPosition, (string, string, DateTimeOffset)> Rows =
        new(CopySql, ListKeysSql, row => (row.VaultAddress, row.Coin, row.ObservedAt.InMicroseconds()), row => row.ObservedAt, WriteAsync);

    private static async Task WriteAsync(NpgsqlBinaryImporter to, HlpVaultPosition row, CancellationToken cancellationToken)
    {
        await to.WriteAsync(row.VaultAddress, cancellationToken);
        await to.WriteAsync(row.ParentAddress, cancellationToken);
        await to.WriteAsync(row.Coin, cancellationToken);
        await to.WriteAsync(row.ObservedAt.UtcDateTime, cancellationToken);
        await to.WriteAsync(row.Size, cancellationToken);
        await to.WriteAsync(row.NotionalUsd, cancellationToken);
        await to.WriteAsync(row.UnrealizedPnl, cancellationToken);
        await to.WriteAsync(row.SharePct, cancellationToken);
        await to.WriteAsync(row.OpenInterestPct, cancellationToken);
    }

    private const string ListSql = $"""
        SELECT {Columns}
          FROM hlp_vault_inventory
         WHERE observed_at >= @since
           AND observed_at < {ListEnd.Moment}
           AND observed_at <= @beforeObservedAt
           AND (observed_at < @beforeObservedAt OR (vault_address, coin) > (@beforeVault, @beforeCoin))
         ORDER BY observed_at DESC, vault_address, coin
         LIMIT @limit
        """;

    /// <summary>
    /// Positions seen in [since, end), the newest check first and within it by component and coin; going on after
    /// <paramref name="after"/>.
    /// </summary>
    public async Task<IReadOnlyList<HlpVaultPosition>> ListAsync(
        DateTimeOffset since, ListEnd end, InventoryCursor? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultPosition>(new(ListSql, new
        {
            since,
            until = end.Until,
            newest = end.Newest,
            beforeObservedAt = after?.ObservedAt ?? DateTimeOffset.MaxValue,
            beforeVault = after?.VaultAddress ?? "",
            beforeCoin = after?.Coin ?? "",
            limit,
        }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListOfPositionSql = $"""
        SELECT {Columns}
          FROM hlp_vault_inventory
         WHERE vault_address = @vault AND coin = @coin AND observed_at >= @since AND observed_at <= @until
         ORDER BY observed_at DESC
         LIMIT @limit
        """;

    /// <summary>The newest rows of one component and coin between two moments, both included, newest first.</summary>
    public async Task<IReadOnlyList<HlpVaultPosition>> ListOfPositionAsync(
        string vault, string coin, DateTimeOffset since, DateTimeOffset until, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultPosition>(new(
            ListOfPositionSql, new { vault, coin, since, until, limit }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListNewestSql = """
        SELECT held.vault_address, held.parent_address, held.coin, held.observed_at, held.size, held.notional_usd, held.unrealized_pnl,
               held.share_pct, held.open_interest_pct
          FROM unnest(@components) AS component (address)
         CROSS JOIN LATERAL (SELECT observed_at
                               FROM hlp_vault_inventory
                              WHERE vault_address = component.address AND parent_address = @parent AND observed_at >= @since
                                AND observed_at <= @newest
                              ORDER BY observed_at DESC
                              LIMIT 1) AS newest
          JOIN hlp_vault_inventory AS held ON held.vault_address = component.address AND held.observed_at = newest.observed_at
           AND held.observed_at >= @since
         ORDER BY held.vault_address, held.coin
         LIMIT 10000
        """;

    /// <summary>
    /// What each of these components of a vault held when it was last seen to hold anything between a moment and now; those that
    /// were not have no row. The checks may differ: one that could not read a component says nothing of it.
    /// </summary>
    public async Task<IReadOnlyList<HlpVaultPosition>> ListNewestAsync(
        string parent, IEnumerable<string> components, DateTimeOffset since, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultPosition>(
            new(ListNewestSql, new { parent, components = components.ToArray(), since, newest = StoredTimes.Newest(now) },
                cancellationToken: cancellationToken))).AsList();
    }

    private const string ListLowsSql = """
        WITH reads AS (
            SELECT DISTINCT vault_address, observed_at
              FROM hlp_vault_inventory
             WHERE parent_address = @parent AND observed_at >= @since AND observed_at <= @until),
        above AS (
            SELECT vault_address, coin, observed_at
              FROM hlp_vault_inventory
             WHERE parent_address = @parent AND observed_at >= @since AND observed_at <= @until AND coalesce(share_pct > @fromPct, true)),
        lows AS (
            SELECT pair.vault_address, pair.coin, min(reads.observed_at) AS first_read_at,
                   max(reads.observed_at) FILTER (WHERE above.coin IS NULL) AS low_at
              FROM (SELECT DISTINCT vault_address, coin FROM above) AS pair
              JOIN reads ON reads.vault_address = pair.vault_address
              LEFT JOIN above ON above.vault_address = pair.vault_address AND above.coin = pair.coin
                   AND above.observed_at = reads.observed_at
             GROUP BY pair.vault_address, pair.coin)
        SELECT lows.vault_address, lows.coin, lows.first_read_at, lows.low_at, coalesce(held.share_pct, 0) AS low_share_pct
          FROM lows
          LEFT JOIN hlp_vault_inventory AS held ON held.vault_address = lows.vault_address AND held.coin = lows.coin
               AND held.observed_at = lows.low_at AND held.observed_at >= @since AND held.observed_at <= @until
         ORDER BY lows.vault_address, lows.coin
         LIMIT 10000
        """;

    /// <summary>
    /// Of each position of a vault's components that was above a share between two moments, both included, or whose share was not known:
    /// when it last was not. A component that holds nothing at all has no row of that check; its account says so.
    /// </summary>
    public async Task<IReadOnlyList<HlpVaultPositionLow>> ListLowsAsync(
        string parent, DateTimeOffset since, DateTimeOffset until, decimal fromPct, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultPositionLow>(
            new(ListLowsSql, new { parent, since, until, fromPct }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListNewestCheckSql = $"""
        SELECT {Columns}
          FROM hlp_vault_inventory
         WHERE observed_at = (SELECT observed_at
                                FROM hlp_vault_inventory
                               WHERE observed_at >= @since AND observed_at <= @until
                               ORDER BY observed_at DESC
                               LIMIT 1)
         ORDER BY notional_usd DESC, vault_address COLLATE "C", coin COLLATE "C"
         LIMIT 10000
        """;

    /// <summary>
    /// What the newest check between two moments, both included, saw of all vaults' components, the largest first;
    /// empty when there was none.
    /// </summary>
    public async Task<IReadOnlyList<HlpVaultPosition>> ListNewestCheckAsync(
        DateTimeOffset since, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultPosition>(
            new(ListNewestCheckSql, new { since, until }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListLargestSql = """
        SELECT vault_address, coin
          FROM hlp_vault_inventory_hours
         WHERE hour_at > @since AND hour_at <= @until
         GROUP BY vault_address, coin
         ORDER BY max(notional_usd) DESC, vault_address, coin
         LIMIT @limit
        """;

    private const string ListPeaksSql = """
        SELECT vault_address, coin, date_bin(@slot, observed_at, @until) AS slot_at, max(notional_usd) AS notional_usd,
               max(share_pct) AS share_pct
          FROM hlp_vault_inventory
         WHERE (vault_address, coin) IN (SELECT vault_address, coin FROM unnest(@vaults, @coins) AS held (vault_address, coin))
           AND observed_at > @since
           AND observed_at <= @until
         GROUP BY vault_address, coin, slot_at
         ORDER BY vault_address, coin, slot_at
         LIMIT 10000
        """;

    private const string ListHourlyPeaksSql = """
        SELECT vault_address, coin, hour_at AS slot_at, notional_usd, share_pct
          FROM hlp_vault_inventory_hours
         WHERE (vault_address, coin) IN (SELECT vault_address, coin FROM unnest(@vaults, @coins) AS held (vault_address, coin))
           AND hour_at > @since
           AND hour_at <= @until
         ORDER BY vault_address, coin, hour_at
         LIMIT 10000
        """;

    /// <summary>
    /// The peaks of the holdings that were the largest at any time since a moment, in slots of equal length up to
    /// <paramref name="until"/>, oldest first. A slot in which a holding was not seen has no row. Slots of an hour cost
    /// least: their peaks are kept.
    /// </summary>
    public async Task<IReadOnlyList<HlpVaultPositionPeak>> ListPeaksAsync(
        DateTimeOffset since, DateTimeOffset until, TimeSpan slot, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        var largest = (await connection.QueryAsync<(string Vault, string Coin)>(new(
            ListLargestSql, new { since = since.AddHours(-1), until, limit }, cancellationToken: cancellationToken))).AsList();
        return (await connection.QueryAsync<HlpVaultPositionPeak>(new(slot == TimeSpan.FromHours(1) ? ListHourlyPeaksSql : ListPeaksSql, new
        {
            vaults = largest.Select(held => held.Vault).ToArray(),
            coins = largest.Select(held => held.Coin).ToArray(),
            since,
            until,
            slot,
        }, cancellationToken: cancellationToken))).AsList();
    }
}
