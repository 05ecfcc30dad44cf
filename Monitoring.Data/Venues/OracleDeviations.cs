using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Npgsql;
using NpgsqlTypes;

namespace Monitoring.Data.Venues;

/// <summary>
/// The venue's oracle price of one asset against its references at one check, all in the quote of the oracle.
/// <paramref name="ReferencePrice"/> is the median of the <paramref name="ReferenceCount"/> references used, null where a price that cannot
/// be was judged without any;
/// <paramref name="LeftOut"/> names the others with the reason. <paramref name="BreachedSince"/> lies
/// <paramref name="DurationSeconds"/> before this check, null outside a breach. <paramref name="FloorPct"/> is null
/// without enough history, <paramref name="RiskScore"/> where there were too few references to judge.
/// </summary>
public sealed record OracleDeviation(
    string Asset, DateTimeOffset ObservedAt, decimal HyperliquidPrice, decimal MarkPrice,
    decimal? BinancePrice, decimal? CoinbasePrice, decimal? PythPrice, decimal? KrakenPrice, decimal? OkxPrice,
    decimal? ReferencePrice, int ReferenceCount, string[] LeftOut, decimal MaxDeviationPct, string MaxDeviationSource,
    DateTimeOffset? BreachedSince, int DurationSeconds, decimal? FloorPct, bool IsDangerous, Severity? Severity, decimal? RiskScore)
    : Observation
{
    /// <inheritdoc/>
    public override Observation At(DateTimeOffset scheduledAt) => this with { ObservedAt = scheduledAt };
}

/// <summary>How far an asset was off at one check.</summary>
public sealed record OracleSample(string Asset, DateTimeOffset ObservedAt, decimal MaxDeviationPct);

/// <summary>An asset's newest check, and since when it is in breach.</summary>
public sealed record OracleBreach(string Asset, DateTimeOffset ObservedAt, DateTimeOffset? BreachedSince);

/// <summary>The table <c>oracle_deviations</c>, partitioned by day of <c>observed_at</c>.</summary>
public sealed class OracleDeviations(DatabaseConnections db) : IObservationTable
{
    /// <summary>The table's name: its days are dropped when their retention is over.</summary>
    public const string TableName = "oracle_deviations";

    private const string Columns = """
        asset, observed_at, hyperliquid_price, mark_price, binance_price, coinbase_price, pyth_price, kraken_price, okx_price,
        reference_price, reference_count, left_out, max_deviation_pct, max_deviation_source, breached_since, duration_seconds,
        floor_pct, is_dangerous, severity, risk_score
        """;

    private const string CopySql = $"""
        COPY oracle_deviations ({Columns})
        FROM STDIN (FORMAT binary)
        """;

    private const string ListKeysSql = """
        SELECT asset, observed_at
          FROM oracle_deviations
         WHERE observed_at = ANY (@times)
         LIMIT 100000
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Check;

    /// <inheritdoc/>
    public Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        Rows.InsertAsync(observations, someAreThere, transaction, cancellationToken);

    private static readonly CheckRows<OracleDeviation, (string, DateTimeOffset)> Rows =
        new(CopySql, ListKeysSql, row => (row.Asset, row.ObservedAt.InMicroseconds()), row => row.ObservedAt, WriteAsync);

    private static async Task WriteAsync(NpgsqlBinaryImporter to, OracleDeviation row, CancellationToken cancellationToken)
    {
        await to.WriteAsync(row.Asset, cancellationToken);
        await to.WriteAsync(row.ObservedAt.UtcDateTime, cancellationToken);
        await to.WriteAsync(row.HyperliquidPrice, cancellationToken);
        await to.WriteAsync(row.MarkPrice, cancellationToken);
        await to.WriteAsync(row.BinancePrice, cancellationToken);
        await to.WriteAsync(row.CoinbasePrice, cancellationToken);
        await to.WriteAsync(row.PythPrice, cancellationToken);
        await to.WriteAsync(row.KrakenPrice, cancellationToken);
        await to.WriteAsync(row.OkxPrice, cancellationToken);
        await to.WriteAsync(row.ReferencePrice, cancellationToken);
        await to.WriteAsync(row.ReferenceCount, cancellationToken);
        await to.WriteAsync(row.LeftOut, cancellationToken);
        await to.WriteAsync(row.MaxDeviationPct, cancellationToken);
        await to.WriteAsync(row.MaxDeviationSource, cancellationToken);
        await to.WriteAsync(row.BreachedSince?.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
        await to.WriteAsync(row.DurationSeconds, cancellationToken);
        await to.WriteAsync(row.FloorPct, cancellationToken);
        await to.WriteAsync(row.IsDangerous, cancellationToken);
        await to.WriteAsync(row.Severity is { } severity ? SnakeCase.Of(severity) : null, NpgsqlDbType.Text, cancellationToken);
        await to.WriteAsync(row.RiskScore, cancellationToken);
    }

    private const string FindNewestSql = $"""
        SELECT observed_at
          FROM oracle_deviations
         WHERE observed_at <= {StoredTimes.Limit}
         ORDER BY observed_at DESC
         LIMIT 1
        """;

    // Bounded on both sides, though nothing is newer than the newest: of a range the planner assumes that it is small, of one bound that it
    // is a third of the table.
    private const string ListNowSql = $"""
        SELECT DISTINCT ON (asset) {Columns}
          FROM oracle_deviations
         WHERE observed_at > ({FindNewestSql}) - interval '10 minutes' AND observed_at <= ({FindNewestSql})
         ORDER BY asset, observed_at DESC
         LIMIT 2000
        """;

    /// <summary>The newest row of each asset that was measured within ten minutes of the newest check, by asset.</summary>
    public static BatchRows<OracleDeviation> ListNow(DatabaseBatch batch, DateTimeOffset now) =>
        batch.Add<OracleDeviation>(ListNowSql, ("newest", StoredTimes.Newest(now)));

    private const string ListSql = $"""
        SELECT {Columns}
          FROM oracle_deviations
         WHERE observed_at >= @since AND (observed_at, asset) < ({ListEnd.Moment}, @beforeAsset) AND max_deviation_pct >= @minDeviationPct
         ORDER BY observed_at DESC, asset DESC
         LIMIT @limit
        """;

    /// <summary>Rows of all assets since a moment, newest first; at the end itself those of the assets before one.</summary>
    public async Task<IReadOnlyList<OracleDeviation>> ListAsync(
        DateTimeOffset since, ListEnd end, string beforeAsset, decimal minDeviationPct, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleDeviation>(
            new(ListSql, new { since, until = end.Until, newest = end.Newest, beforeAsset, minDeviationPct, limit },
                cancellationToken: cancellationToken))).AsList();
    }

    /// <summary>As above, one row after the other as it comes, its columns in the order of the record.</summary>
    public Task ReadAsync(
        DateTimeOffset since, ListEnd end, string beforeAsset, decimal minDeviationPct, int limit, Action<NpgsqlDataReader> row,
        CancellationToken cancellationToken) =>
        db.ReadRowsAsync(
            ListSql, [("since", since), ("until", end.Until), ("newest", end.Newest), ("beforeAsset", beforeAsset),
                ("minDeviationPct", minDeviationPct), ("limit", limit)],
            row, cancellationToken);

    private const string ListOfAssetSql = $"""
        SELECT {Columns}
          FROM oracle_deviations
         WHERE asset = @asset AND observed_at >= @since AND observed_at < {ListEnd.Moment} AND max_deviation_pct >= @minDeviationPct
         ORDER BY observed_at DESC
         LIMIT @limit
        """;

    /// <summary>Rows of one asset in [since, end), newest first.</summary>
    public async Task<IReadOnlyList<OracleDeviation>> ListOfAssetAsync(
        string asset, DateTimeOffset since, ListEnd end, decimal minDeviationPct, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleDeviation>(
            new(ListOfAssetSql, new { asset, since, until = end.Until, newest = end.Newest, minDeviationPct, limit },
                cancellationToken: cancellationToken))).AsList();
    }

    /// <summary>As above, one row after the other as it comes, its columns in the order of the record.</summary>
    public Task ReadOfAssetAsync(
        string asset, DateTimeOffset since, ListEnd end, decimal minDeviationPct, int limit, Action<NpgsqlDataReader> row,
        CancellationToken cancellationToken) =>
        db.ReadRowsAsync(
            ListOfAssetSql, [("asset", asset), ("since", since), ("until", end.Until), ("newest", end.Newest),
                ("minDeviationPct", minDeviationPct), ("limit", limit)],
            row, cancellationToken);

    private const string ListSamplesSql = """
        SELECT asset, observed_at, max_deviation_pct
          FROM (SELECT asset, observed_at, max_deviation_pct, row_number() OVER (PARTITION BY asset ORDER BY observed_at DESC) AS age
                  FROM oracle_deviations
                 WHERE observed_at >= @since AND observed_at <= @newest AND reference_count >= @minReferences
                   AND round(hyperliquid_price, 12) > 0) AS newest
         WHERE age <= 3000
         ORDER BY asset, observed_at
         LIMIT 1000000
        """;

    /// <summary>
    /// How far each asset was off from a moment until now, oldest first, of each the newest 3000: the history that the rules keep in
    /// memory.
    /// </summary>
    public async Task<IReadOnlyList<OracleSample>> ListSamplesAsync(
        DateTimeOffset since, DateTimeOffset now, int minReferences, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleSample>(
            new(ListSamplesSql, new { since, newest = StoredTimes.Newest(now), minReferences },
                cancellationToken: cancellationToken))).AsList();
    }

    private const string ListBreachesSql = """
        SELECT DISTINCT ON (asset) asset, observed_at, breached_since
          FROM oracle_deviations
         WHERE observed_at >= @since AND observed_at <= @newest
         ORDER BY asset, observed_at DESC
         LIMIT 2000
        """;

    /// <summary>Each asset's newest check between a moment and now, and whether it was in breach.</summary>
    public async Task<IReadOnlyList<OracleBreach>> ListBreachesAsync(
        DateTimeOffset since, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleBreach>(
            new(ListBreachesSql, new { since, newest = StoredTimes.Newest(now) }, cancellationToken: cancellationToken))).AsList();
    }
}
