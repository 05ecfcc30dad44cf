using System.Text.Json;
using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>What liquidations that belong together look like.</summary>
public enum LiquidationPatternType { FlashLoan, Cascade, Coordinated, Manipulation, Adl }

/// <summary>
/// Liquidations that belong together. <paramref name="Subject"/> is the coin, or the account of a coordinated pattern;
/// the score is 0–100, <paramref name="PriceImpact"/> the signed change in percent from the first price to the last,
/// <paramref name="Indicators"/> a JSON object of what it was judged by.
/// </summary>
public sealed record LiquidationPattern(
    string PatternId, LiquidationPatternType PatternType, string Subject, DateTimeOffset StartTime, DateTimeOffset EndTime,
    decimal DurationSeconds, decimal TotalLiquidatedUsd, int AffectedUsers, string[] AssetsInvolved, decimal SuspicionScore,
    int LiquidationCount, decimal PriceImpact, string Indicators) : Observation;

/// <summary>Where a list of patterns goes on.</summary>
public sealed record LiquidationPatternCursor(DateTimeOffset StartTime, string PatternId);

/// <summary>The table <c>liquidation_patterns</c>: a pattern seen again is the same row, brought up to date.</summary>
public sealed class LiquidationPatterns(DatabaseConnections db) : IObservationTable
{
    private const string Columns = """
        pattern_id, pattern_type, subject, start_time, end_time, duration_seconds, total_liquidated_usd, affected_users, assets_involved,
        suspicion_score, liquidation_count, price_impact, indicators
        """;

    // Coins travel as one JSON text of each pattern: unnest would flatten an array of arrays, and a coin's name may hold any separator.
    private const string UpsertSql = """
        INSERT INTO liquidation_patterns AS known (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds,
                                                   total_liquidated_usd, affected_users, assets_involved, suspicion_score,
                                                   liquidation_count, price_impact, indicators)
        SELECT pattern_id, pattern_type, subject, start_time, end_time, duration_seconds, total_liquidated_usd, affected_users,
               ARRAY(SELECT one FROM jsonb_array_elements_text(assets::jsonb) WITH ORDINALITY AS each (one, place) ORDER BY place),
               suspicion_score, liquidation_count, price_impact, indicators::jsonb
          FROM unnest(@ids, @types, @subjects, @starts, @ends, @durations, @totals, @affectedUsers, @assets, @scores, @counts, @impacts,
                      @indicators)
            AS row (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds, total_liquidated_usd, affected_users, assets,
                    suspicion_score, liquidation_count, price_impact, indicators)
        ON CONFLICT (pattern_id) DO UPDATE
           SET start_time = excluded.start_time, end_time = excluded.end_time, duration_seconds = excluded.duration_seconds,
               total_liquidated_usd = excluded.total_liquidated_usd, affected_users = excluded.affected_users,
               assets_involved = excluded.assets_involved, suspicion_score = excluded.suspicion_score,
               liquidation_count = excluded.liquidation_count, price_impact = excluded.price_impact, indicators = excluded.indicators,
               updated_at = now()
         WHERE excluded.end_time >= known.end_time AND excluded.liquidation_count >= known.liquidation_count
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Source;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = observations.OfType<LiquidationPattern>().ToList();
        return rows.Count == 0 ? 0 : await transaction.Connection!.ExecuteAsync(new(UpsertSql, new
        {
            ids = rows.Select(row => row.PatternId).ToArray(),
            types = rows.Select(row => SnakeCase.Of(row.PatternType)).ToArray(),
            subjects = rows.Select(row => row.Subject).ToArray(),
            starts = rows.Select(row => row.StartTime.UtcDateTime).ToArray(),
            ends = rows.Select(row => row.EndTime.UtcDateTime).ToArray(),
            durations = rows.Select(row => row.DurationSeconds).ToArray(),
            totals = rows.Select(row => row.TotalLiquidatedUsd).ToArray(),
            affectedUsers = rows.Select(row => row.AffectedUsers).ToArray(),
            assets = rows.Select(row => JsonSerializer.Serialize(row.AssetsInvolved)).ToArray(),
            scores = rows.Select(row => row.SuspicionScore).ToArray(),
            counts = rows.Select(row => row.LiquidationCount).ToArray(),
            impacts = rows.Select(row => row.PriceImpact).ToArray(),
            indicators = rows.Select(row => row.Indicators).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
    }

    private const string ListSql = $"""
        SELECT {Columns}
          FROM liquidation_patterns
         WHERE start_time >= @since
           AND start_time < {ListEnd.Moment}
           AND (@patternType::text IS NULL OR pattern_type = @patternType)
           AND (@afterPatternId::text IS NULL OR (start_time, pattern_id) < (@afterStartTime, @afterPatternId))
         ORDER BY start_time DESC, pattern_id DESC
         LIMIT @limit
        """;

    /// <summary>Patterns that began in [since, end), the newest first, going on after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<LiquidationPattern>> ListAsync(
        DateTimeOffset since, ListEnd end, LiquidationPatternType? patternType,
        LiquidationPatternCursor? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationPattern>(new(ListSql, new
        {
            since,
            until = end.Until,
            newest = end.Newest,
            patternType,
            afterStartTime = after?.StartTime,
            afterPatternId = after?.PatternId,
            limit,
        }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListNewestSql = $"""
        SELECT {Columns}
          FROM liquidation_patterns
         WHERE start_time <= {StoredTimes.Limit}
         ORDER BY start_time DESC, pattern_id DESC
         LIMIT @limit
        """;

    /// <summary>The patterns that began last, as far as they can have begun at a moment.</summary>
    public static BatchRows<LiquidationPattern> ListNewest(DatabaseBatch batch, DateTimeOffset now, int limit) =>
        batch.Add<LiquidationPattern>(ListNewestSql, ("newest", StoredTimes.Newest(now)), ("limit", limit));

    private const string ListOfIdsSql = $"""
        SELECT {Columns}
          FROM liquidation_patterns
         WHERE pattern_id = ANY (@ids)
         ORDER BY start_time DESC, pattern_id DESC
         LIMIT @limit
        """;

    /// <summary>The patterns of these ids that are there, those that began last first.</summary>
    public async Task<IReadOnlyList<LiquidationPattern>> ListOfIdsAsync(
        IEnumerable<string> ids, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationPattern>(
            new(ListOfIdsSql, new { ids = ids.ToArray(), limit }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListSinceSql = $"""
        SELECT {Columns}
          FROM liquidation_patterns
         WHERE end_time >= @since
         ORDER BY end_time DESC, pattern_id
         LIMIT 10000
        """;

    /// <summary>Patterns that went on until a moment or longer.</summary>
    public async Task<IReadOnlyList<LiquidationPattern>> ListSinceAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationPattern>(
            new(ListSinceSql, new { since }, cancellationToken: cancellationToken))).AsList();
    }
}
