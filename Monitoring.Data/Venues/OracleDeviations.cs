using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>
/// The venue's oracle price of one asset against its references at one check, all in the quote of the oracle. <paramref name="ReferencePrice"/> is the median
/// of the <paramref name="ReferenceCount"/> references used; <paramref name="LeftOut"/> names the others with the reason.
/// <paramref name="BreachedSince"/> lies <paramref name="DurationSeconds"/> before this check, null outside a breach. <paramref name="FloorPct"/> is
/// null without enough history, <paramref name="RiskScore"/> where there were too few references to judge.
/// </summary>
public sealed record OracleDeviation(
    string Asset, DateTimeOffset ObservedAt, decimal HyperliquidPrice, decimal MarkPrice,
    decimal? BinancePrice, decimal? CoinbasePrice, decimal? PythPrice, decimal? KrakenPrice, decimal? OkxPrice,
    decimal ReferencePrice, int ReferenceCount, string[] LeftOut, decimal MaxDeviationPct, string MaxDeviationSource,
    DateTimeOffset? BreachedSince, int DurationSeconds, decimal? FloorPct, bool IsDangerous, Severity? Severity, decimal? RiskScore) : Observation;

/// <summary>How far an asset was off at one check.</summary>
public sealed record OracleSample(string Asset, DateTimeOffset ObservedAt, decimal MaxDeviationPct);

/// <summary>An asset's newest check, and since when it is in breach.</summary>
public sealed record OracleBreach(string Asset, DateTimeOffset ObservedAt, DateTimeOffset? BreachedSince);

/// <summary>The table <c>oracle_deviations</c>, partitioned by day of <c>observed_at</c>.</summary>
public sealed class OracleDeviations(NpgsqlDataSource db) : IObservationTable
{
    private const string Columns = """
        asset, observed_at, hyperliquid_price, mark_price, binance_price, coinbase_price, pyth_price, kraken_price, okx_price,
        reference_price, reference_count, left_out, max_deviation_pct, max_deviation_source, breached_since, duration_seconds,
        floor_pct, is_dangerous, severity, risk_score
        """;

    // left_out travels as one text, because unnest would flatten an array of arrays; the breach's start as a yes or no, because an array of times that
    // may be null has no certain type.
    private const string InsertSql = $"""
        INSERT INTO oracle_deviations ({Columns})
        SELECT asset, observed_at, hyperliquid_price, mark_price, binance_price, coinbase_price, pyth_price, kraken_price, okx_price,
               reference_price, reference_count, string_to_array(left_out, ','), max_deviation_pct, max_deviation_source,
               CASE WHEN breached THEN observed_at - make_interval(secs => duration_seconds) END, duration_seconds, floor_pct, is_dangerous, severity, risk_score
          FROM unnest(@assets, @times, @oraclePrices, @markPrices, @binancePrices, @coinbasePrices, @pythPrices, @krakenPrices, @okxPrices,
                      @referencePrices, @referenceCounts, @leftOuts, @maxDeviations, @maxSources, @breached, @durations, @floors, @dangers, @severities, @risks)
            AS row (asset, observed_at, hyperliquid_price, mark_price, binance_price, coinbase_price, pyth_price, kraken_price, okx_price,
                    reference_price, reference_count, left_out, max_deviation_pct, max_deviation_source, breached, duration_seconds,
                    floor_pct, is_dangerous, severity, risk_score)
        ON CONFLICT (asset, observed_at) DO NOTHING
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Check;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(IReadOnlyList<Observation> observations, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = observations.OfType<OracleDeviation>().ToList();
        return rows.Count == 0 ? 0 : await transaction.Connection!.ExecuteAsync(new(InsertSql, new
        {
            assets = rows.Select(row => row.Asset).ToArray(),
            times = rows.Select(row => row.ObservedAt.UtcDateTime).ToArray(),
            oraclePrices = rows.Select(row => row.HyperliquidPrice).ToArray(),
            markPrices = rows.Select(row => row.MarkPrice).ToArray(),
            binancePrices = rows.Select(row => row.BinancePrice).ToArray(),
            coinbasePrices = rows.Select(row => row.CoinbasePrice).ToArray(),
            pythPrices = rows.Select(row => row.PythPrice).ToArray(),
            krakenPrices = rows.Select(row => row.KrakenPrice).ToArray(),
            okxPrices = rows.Select(row => row.OkxPrice).ToArray(),
            referencePrices = rows.Select(row => row.ReferencePrice).ToArray(),
            referenceCounts = rows.Select(row => row.ReferenceCount).ToArray(),
            leftOuts = rows.Select(row => string.Join(',', row.LeftOut)).ToArray(),
            maxDeviations = rows.Select(row => row.MaxDeviationPct).ToArray(),
            maxSources = rows.Select(row => row.MaxDeviationSource).ToArray(),
            breached = rows.Select(row => row.BreachedSince is not null).ToArray(),
            durations = rows.Select(row => row.DurationSeconds).ToArray(),
            floors = rows.Select(row => row.FloorPct).ToArray(),
            dangers = rows.Select(row => row.IsDangerous).ToArray(),
            severities = rows.Select(row => row.Severity is { } severity ? SnakeCase.Of(severity) : null).ToArray(),
            risks = rows.Select(row => row.RiskScore).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
    }

    private const string FindNewestSql = """
        SELECT observed_at
          FROM oracle_deviations
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
    public static BatchRows<OracleDeviation> ListNow(DatabaseBatch batch) => batch.Add<OracleDeviation>(ListNowSql);

    private const string ListSql = $"""
        SELECT {Columns}
          FROM oracle_deviations
         WHERE observed_at >= @since AND (observed_at, asset) < (@before, @beforeAsset) AND max_deviation_pct >= @minDeviationPct
         ORDER BY observed_at DESC, asset DESC
         LIMIT @limit
        """;

    /// <summary>Rows of all assets since a moment and before a position, newest first.</summary>
    public async Task<IReadOnlyList<OracleDeviation>> ListAsync(
        DateTimeOffset since, DateTimeOffset before, string beforeAsset, decimal minDeviationPct, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleDeviation>(
            new(ListSql, new { since, before, beforeAsset, minDeviationPct, limit }, cancellationToken: cancellationToken))).AsList();
    }

    /// <summary>As above, one row after the other as it comes, its columns in the order of the record.</summary>
    public Task ReadAsync(
        DateTimeOffset since, DateTimeOffset before, string beforeAsset, decimal minDeviationPct, int limit, Action<NpgsqlDataReader> row,
        CancellationToken cancellationToken) =>
        db.ReadRowsAsync(
            ListSql, [("since", since), ("before", before), ("beforeAsset", beforeAsset), ("minDeviationPct", minDeviationPct),
                ("limit", limit)],
            row, cancellationToken);

    private const string ListOfAssetSql = $"""
        SELECT {Columns}
          FROM oracle_deviations
         WHERE asset = @asset AND observed_at >= @since AND observed_at < @before AND max_deviation_pct >= @minDeviationPct
         ORDER BY observed_at DESC
         LIMIT @limit
        """;

    /// <summary>Rows of one asset in [since, before), newest first.</summary>
    public async Task<IReadOnlyList<OracleDeviation>> ListOfAssetAsync(
        string asset, DateTimeOffset since, DateTimeOffset before, decimal minDeviationPct, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleDeviation>(
            new(ListOfAssetSql, new { asset, since, before, minDeviationPct, limit }, cancellationToken: cancellationToken))).AsList();
    }

    /// <summary>As above, one row after the other as it comes, its columns in the order of the record.</summary>
    public Task ReadOfAssetAsync(
        string asset, DateTimeOffset since, DateTimeOffset before, decimal minDeviationPct, int limit, Action<NpgsqlDataReader> row,
        CancellationToken cancellationToken) =>
        db.ReadRowsAsync(
            ListOfAssetSql, [("asset", asset), ("since", since), ("before", before), ("minDeviationPct", minDeviationPct),
                ("limit", limit)],
            row, cancellationToken);

    private const string ListSamplesSql = """
        SELECT asset, observed_at, max_deviation_pct
          FROM (SELECT asset, observed_at, max_deviation_pct, row_number() OVER (PARTITION BY asset ORDER BY observed_at DESC) AS age
                  FROM oracle_deviations
                 WHERE observed_at >= @since AND reference_count >= @minReferences) AS newest
         WHERE age <= 3000
         ORDER BY asset, observed_at
         LIMIT 1000000
        """;

    /// <summary>How far each asset was off since a moment, oldest first, of each the newest 3000: the history that the rules keep in memory.</summary>
    public async Task<IReadOnlyList<OracleSample>> ListSamplesAsync(DateTimeOffset since, int minReferences, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleSample>(new(ListSamplesSql, new { since, minReferences }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListBreachesSql = """
        SELECT DISTINCT ON (asset) asset, observed_at, breached_since
          FROM oracle_deviations
         WHERE observed_at >= @since
         ORDER BY asset, observed_at DESC
         LIMIT 2000
        """;

    /// <summary>Each asset's newest check since a moment, and whether it was in breach.</summary>
    public async Task<IReadOnlyList<OracleBreach>> ListBreachesAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<OracleBreach>(new(ListBreachesSql, new { since }, cancellationToken: cancellationToken))).AsList();
    }
}
