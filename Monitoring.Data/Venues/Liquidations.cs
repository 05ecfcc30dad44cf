using System.Text.Json.Serialization;
using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>
/// How a position was liquidated: by orders on the book, by passing to a liquidator vault, or against a profitable trader.
/// </summary>
public enum LiquidationMethod { Market, Backstop, Adl }

/// <summary>The side of the position that was liquidated.</summary>
#pragma warning disable CA1720 // the names of the trade, not of number types
public enum LiquidationSide { Long, Short }
#pragma warning restore CA1720

/// <summary>
/// What the source of a row can see: every backstop and deleveraging against the HLP vaults; of market liquidations
/// only those in which an HLP vault was the other side; or all that concerns one watched account.
/// </summary>
public enum LiquidationCoverage { HlpComplete, HlpSample, Account }

/// <summary>
/// One fill of a liquidation; a liquidation is usually many. Price and notional in USD, size in base units,
/// <paramref name="ObservedAt"/> is the venue's time of the fill.
/// </summary>
public sealed record LiquidationFill(
    string Coin, long Tid, string LiquidatedUser, DateTimeOffset ObservedAt, LiquidationMethod Method, LiquidationSide Side, decimal Price,
    decimal Size, decimal NotionalUsd, string? Counterparty, string? Hash, string SourceAddress, LiquidationCoverage Coverage) : Observation
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override DateTimeOffset? PartitionTime => ObservedAt;
}

/// <summary>Where a list of liquidations goes on.</summary>
public sealed record LiquidationCursor(DateTimeOffset ObservedAt, string Coin, long Tid, string LiquidatedUser);

/// <summary>The liquidations of one method within a window, added up.</summary>
public sealed record LiquidationSum(LiquidationMethod Method, long Fills, long Liquidations, long AffectedUsers, decimal NotionalUsd);

/// <summary>The table <c>liquidations</c>, partitioned by day of the fills.</summary>
public sealed class Liquidations(DatabaseConnections db) : IObservationTable
{
    /// <summary>The table's name: its days are dropped when their retention is over.</summary>
    public const string TableName = "liquidations";

    private const string Columns = """
        coin, tid, liquidated_user, observed_at, method, side, price, size, notional_usd, counterparty, hash, source_address, coverage
        """;

    // Both sides of a trade carry the same tid, and a page is read again from its last time on: what is there stays.
    private const string InsertSql = $"""
        INSERT INTO liquidations ({Columns})
        SELECT {Columns}
          FROM unnest(@coins, @tids, @users, @times, @methods, @sides, @prices, @sizes, @notionals, @counterparties, @hashes, @sources,
                      @coverages)
            AS row ({Columns})
        ON CONFLICT (coin, tid, liquidated_user, observed_at) DO NOTHING
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Source;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = observations.OfType<LiquidationFill>().ToList();
        return rows.Count == 0 ? 0 : await transaction.Connection!.ExecuteAsync(new(InsertSql, new
        {
            coins = rows.Select(row => row.Coin).ToArray(),
            tids = rows.Select(row => row.Tid).ToArray(),
            users = rows.Select(row => row.LiquidatedUser).ToArray(),
            times = rows.Select(row => row.ObservedAt.UtcDateTime).ToArray(),
            methods = rows.Select(row => SnakeCase.Of(row.Method)).ToArray(),
            sides = rows.Select(row => SnakeCase.Of(row.Side)).ToArray(),
            prices = rows.Select(row => row.Price).ToArray(),
            sizes = rows.Select(row => row.Size).ToArray(),
            notionals = rows.Select(row => row.NotionalUsd).ToArray(),
            counterparties = rows.Select(row => row.Counterparty!).ToArray(),
            hashes = rows.Select(row => row.Hash!).ToArray(),
            sources = rows.Select(row => row.SourceAddress).ToArray(),
            coverages = rows.Select(row => SnakeCase.Of(row.Coverage)).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
    }

    private const string ListSinceSql = $"""
        SELECT {Columns}
          FROM liquidations
         WHERE observed_at >= @since
         ORDER BY observed_at DESC, coin DESC, tid DESC, liquidated_user DESC
         LIMIT 200000
        """;

    /// <summary>Every fill since a moment, newest first: the history that rules keep in memory.</summary>
    public async Task<IReadOnlyList<LiquidationFill>> ListSinceAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationFill>(
            new(ListSinceSql, new { since }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListAtSql = $"""
        SELECT {Columns}
          FROM liquidations
         WHERE observed_at = ANY (@times)
         ORDER BY observed_at DESC, coin DESC, tid DESC, liquidated_user DESC
         LIMIT 200000
        """;

    /// <summary>The fills of single moments.</summary>
    public async Task<IReadOnlyList<LiquidationFill>> ListAtAsync(IEnumerable<DateTimeOffset> moments, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationFill>(
            new(ListAtSql, new { times = moments.Select(moment => moment.UtcDateTime).ToArray() },
                cancellationToken: cancellationToken))).AsList();
    }

    private const string ListSql = $"""
        SELECT {Columns}
          FROM liquidations
         WHERE observed_at >= @since
           AND observed_at < {ListEnd.Moment}
           AND (@coin::text IS NULL OR coin = @coin)
           AND (@method::text IS NULL OR method = @method)
           AND (@afterTid::bigint IS NULL
                OR (observed_at, coin, tid, liquidated_user) < (@afterObservedAt, @afterCoin, @afterTid, @afterUser))
         ORDER BY observed_at DESC, coin DESC, tid DESC, liquidated_user DESC
         LIMIT @limit
        """;

    /// <summary>Fills in [since, end), newest first, going on after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<LiquidationFill>> ListAsync(
        DateTimeOffset since, ListEnd end, string? coin, LiquidationMethod? method, LiquidationCursor? after,
        int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationFill>(new(ListSql, new
        {
            since,
            until = end.Until,
            newest = end.Newest,
            coin,
            method,
            afterObservedAt = after?.ObservedAt,
            afterCoin = after?.Coin,
            afterTid = after?.Tid,
            afterUser = after?.LiquidatedUser,
            limit,
        }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListOfPatternSql = $"""
        SELECT {Columns}
          FROM liquidations
         WHERE observed_at >= @since AND observed_at <= @until
           AND (method = 'adl') = @areAdl
           AND (@coin::text IS NULL OR coin = @coin)
           AND (@users::text[] IS NULL OR liquidated_user = ANY (@users))
         ORDER BY observed_at DESC, coin DESC, tid DESC, liquidated_user DESC
         LIMIT @limit
        """;

    /// <summary>
    /// The newest fills between two moments, both included, in one coin or of some accounts: deleveragings or all others.
    /// </summary>
    public async Task<IReadOnlyList<LiquidationFill>> ListOfPatternAsync(
        DateTimeOffset since, DateTimeOffset until, bool areAdl, string? coin, string[]? users, int limit,
        CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationFill>(new(
            ListOfPatternSql, new { since, until, areAdl, coin, users, limit }, cancellationToken: cancellationToken))).AsList();
    }

    // A liquidation is known by its transaction or, where the hash says nothing, by its moment.
    private const string SumSinceSql = """
        SELECT method, count(*) AS fills,
               count(DISTINCT (liquidated_user, coin, coalesce(hash, observed_at::text))) AS liquidations,
               count(DISTINCT liquidated_user) AS affected_users,
               sum(notional_usd) AS notional_usd
          FROM liquidations
         WHERE observed_at >= @since
         GROUP BY method
         ORDER BY method
         LIMIT 3
        """;

    /// <summary>The fills since a moment, added up by method; methods without any are absent.</summary>
    public static BatchRows<LiquidationSum> SumSince(DatabaseBatch batch, DateTimeOffset since) =>
        batch.Add<LiquidationSum>(SumSinceSql, ("since", since));

    private const string FindOldestSql = """
        SELECT min(observed_at) AS at
          FROM liquidations
         WHERE observed_at >= @since
        """;

    /// <summary>When the oldest fill since a moment was: the first to leave such a window.</summary>
    public static BatchRows<Edge> FindOldest(DatabaseBatch batch, DateTimeOffset since) => batch.Add<Edge>(FindOldestSql, ("since", since));
}
