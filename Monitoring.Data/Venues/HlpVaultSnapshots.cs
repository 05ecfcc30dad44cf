using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>
/// What one check saw of a vault. Money in USD; <c>…Pct</c> in percent; scores 0–100, each part as docs/rules.md gives it.
/// <paramref name="VenueAt"/> is the time that the venue gave its figures. A PnL is null where neither our own rows nor the venue's series
/// reach back that far; Sharpe ratio and z-score are null without enough history.
/// </summary>
public sealed record HlpVaultSnapshot(
    string VaultAddress, DateTimeOffset ObservedAt, DateTimeOffset VenueAt, decimal AccountValue, decimal TotalValueLocked,
    decimal? Pnl1h, decimal? Pnl24h, decimal? Pnl7d, decimal? Pnl30d, decimal AllTimePnl,
    decimal? SharpeRatio, decimal DrawdownPct, decimal MaxDrawdownPct, decimal? ZScore,
    decimal LossScore, decimal DrawdownScore, decimal VolatilityScore, decimal AnomalyScore, bool IsHealthy, string[] HealthIssues)
    : Observation
{
    /// <inheritdoc/>
    public override Observation At(DateTimeOffset scheduledAt) => this with { ObservedAt = scheduledAt };
}

/// <summary>One point of a vault's life: account value and all-time PnL in USD.</summary>
public sealed record VaultPoint(DateTimeOffset At, decimal AccountValue, decimal AllTimePnl);

/// <summary>A vault's snapshots within a window, added up. Averages and bounds are null when there are none.</summary>
public sealed record HlpVaultStatistics(
    long TotalSnapshots, decimal? AvgAccountValue, decimal? MinAccountValue, decimal? MaxAccountValue,
    decimal? AvgAnomalyScore, decimal? MaxAnomalyScore, long UnhealthySnapshots);

/// <summary>The table <c>hlp_vault_snapshots</c> and its hourly rollup <c>hlp_vault_hourly</c>.</summary>
public sealed class HlpVaultSnapshots(DatabaseConnections db) : IObservationTable
{
    private const string Columns = """
        vault_address, observed_at, venue_at, account_value, total_value_locked, pnl_1h, pnl_24h, pnl_7d, pnl_30d, all_time_pnl,
        sharpe_ratio, drawdown_pct, max_drawdown_pct, z_score, loss_score, drawdown_score, volatility_score, anomaly_score, is_healthy,
        health_issues
        """;

    // The rollup takes exactly the rows that were new, so that recording a check twice counts it once.
    private const string InsertSql = $"""
        WITH inserted AS (
            INSERT INTO hlp_vault_snapshots ({Columns})
            VALUES (@VaultAddress, @ObservedAt, @VenueAt, @AccountValue, @TotalValueLocked, @Pnl1h, @Pnl24h, @Pnl7d, @Pnl30d, @AllTimePnl,
                    @SharpeRatio, @DrawdownPct, @MaxDrawdownPct, @ZScore, @LossScore, @DrawdownScore, @VolatilityScore, @AnomalyScore,
                    @IsHealthy, @HealthIssues)
            ON CONFLICT (vault_address, observed_at) DO NOTHING
            RETURNING vault_address, observed_at, account_value, anomaly_score, is_healthy)
        INSERT INTO hlp_vault_hourly AS rollup (vault_address, hour, snapshots, account_value_sum, account_value_min, account_value_max,
                                                anomaly_score_sum, anomaly_score_max, unhealthy)
        SELECT vault_address, date_trunc('hour', observed_at, 'UTC'), 1, account_value, account_value, account_value,
               anomaly_score, anomaly_score, (NOT is_healthy)::int
          FROM inserted
        ON CONFLICT (vault_address, hour) DO UPDATE
           SET snapshots = rollup.snapshots + 1,
               account_value_sum = rollup.account_value_sum + excluded.account_value_sum,
               account_value_min = least(rollup.account_value_min, excluded.account_value_min),
               account_value_max = greatest(rollup.account_value_max, excluded.account_value_max),
               anomaly_score_sum = rollup.anomaly_score_sum + excluded.anomaly_score_sum,
               anomaly_score_max = greatest(rollup.anomaly_score_max, excluded.anomaly_score_max),
               unhealthy = rollup.unhealthy + excluded.unhealthy
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Check;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var inserted = 0;
        foreach (var snapshot in observations.OfType<HlpVaultSnapshot>()) // one a check
            inserted += await transaction.Connection!.ExecuteAsync(
                new(InsertSql, snapshot, transaction, cancellationToken: cancellationToken));
        return inserted;
    }

    private const string FindLatestSql = $"""
        SELECT {Columns}
          FROM hlp_vault_snapshots
         WHERE vault_address = @vault
         ORDER BY observed_at DESC
         LIMIT 1
        """;

    /// <summary>The newest snapshot of a vault, or null.</summary>
    public async Task<HlpVaultSnapshot?> FindLatestAsync(string vault, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<HlpVaultSnapshot>(
            new(FindLatestSql, new { vault }, cancellationToken: cancellationToken));
    }

    private const string FindNewestSql = $"""
        SELECT {Columns}
          FROM hlp_vault_snapshots
         WHERE observed_at <= {StoredTimes.Limit}
         ORDER BY observed_at DESC, vault_address
         LIMIT 1
        """;

    /// <summary>The newest snapshot of the vault that was observed last.</summary>
    public static BatchRows<HlpVaultSnapshot> FindNewest(DatabaseBatch batch, DateTimeOffset now) =>
        batch.Add<HlpVaultSnapshot>(FindNewestSql, ("newest", StoredTimes.Newest(now)));

    private const string FindSql = $"""
        SELECT {Columns}
          FROM hlp_vault_snapshots
         WHERE vault_address = @vault AND observed_at = @observedAt
        """;

    /// <summary>The snapshot of one check, or null.</summary>
    public async Task<HlpVaultSnapshot?> FindAsync(string vault, DateTimeOffset observedAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<HlpVaultSnapshot>(
            new(FindSql, new { vault, observedAt }, cancellationToken: cancellationToken));
    }

    // The venue's time and the check's are of one moment but for the time an answer takes: that finds it by the key.
    private const string FindOfVenueTimeSql = $"""
        SELECT {Columns}
          FROM hlp_vault_snapshots
         WHERE vault_address = @vault AND venue_at = @venueAt
           AND observed_at >= @venueAt - interval '20 minutes' AND observed_at <= @venueAt + interval '20 minutes'
         ORDER BY observed_at
         LIMIT 1
        """;

    /// <summary>The first snapshot that holds the figures which the venue gave for a moment, or null.</summary>
    public async Task<HlpVaultSnapshot?> FindOfVenueTimeAsync(string vault, DateTimeOffset venueAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<HlpVaultSnapshot>(
            new(FindOfVenueTimeSql, new { vault, venueAt }, cancellationToken: cancellationToken));
    }

    private const string ListSql = $"""
        SELECT {Columns}
          FROM hlp_vault_snapshots
         WHERE vault_address = coalesce(@vault, ({FindNewestVaultSql})) AND observed_at >= @since AND observed_at < {ListEnd.Moment}
         ORDER BY observed_at DESC
         LIMIT @limit
        """;

    /// <summary>Snapshots of a vault, or of the one that was observed last, in [since, end), newest first.</summary>
    public async Task<IReadOnlyList<HlpVaultSnapshot>> ListAsync(
        string? vault, DateTimeOffset since, ListEnd end, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultSnapshot>(
            new(ListSql, new { vault, since, until = end.Until, newest = end.Newest, limit },
                cancellationToken: cancellationToken))).AsList();
    }

    /// <summary>As above, one row after the other as it comes: vault_address first, then the columns in the order of the record.</summary>
    public Task ReadAsync(
        string? vault, DateTimeOffset since, ListEnd end, int limit, Action<NpgsqlDataReader> row, CancellationToken cancellationToken) =>
        db.ReadRowsAsync(
            ListSql, [("vault", vault), ("since", since), ("until", end.Until), ("newest", end.Newest), ("limit", limit)], row,
            cancellationToken);

    // The vault to show when none is named.
    private const string FindNewestVaultSql = $"""
        SELECT vault_address
          FROM hlp_vault_snapshots
         WHERE observed_at <= {StoredTimes.Limit}
         ORDER BY observed_at DESC, vault_address
         LIMIT 1
        """;

    private const string ListMinutePointsSql = """
        SELECT DISTINCT ON (date_trunc('minute', venue_at)) venue_at AS at, account_value, all_time_pnl
          FROM hlp_vault_snapshots
         WHERE vault_address = @vault AND observed_at >= @since
         ORDER BY date_trunc('minute', venue_at), venue_at, observed_at
         LIMIT 100000
        """;

    /// <summary>The first point of each minute since a moment, oldest first: the history that rules keep in memory.</summary>
    public async Task<IReadOnlyList<VaultPoint>> ListMinutePointsAsync(
        string vault, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<VaultPoint>(
            new(ListMinutePointsSql, new { vault, since }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListLatestPnl24hSql = """
        SELECT pnl_24h
          FROM hlp_vault_snapshots
         WHERE vault_address = @vault AND pnl_24h IS NOT NULL AND observed_at <= @newest
         ORDER BY observed_at DESC
         LIMIT @limit
        """;

    /// <summary>The newest 24 h PnLs of a vault, newest first, USD; of checks that can have been at a moment.</summary>
    public async Task<IReadOnlyList<decimal>> ListLatestPnl24hAsync(
        string vault, int limit, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<decimal>(
            new(ListLatestPnl24hSql, new { vault, limit, newest = StoredTimes.Newest(now) },
                cancellationToken: cancellationToken))).AsList();
    }

    // Whole hours come from the rollup; the broken hour at the start of the window from the rows themselves.
    private const string SummariseSql = $"""
        WITH parts AS (
            SELECT snapshots::bigint AS snapshots, account_value_sum, account_value_min, account_value_max, anomaly_score_sum,
                   anomaly_score_max, unhealthy::bigint AS unhealthy
              FROM hlp_vault_hourly
             WHERE vault_address = ({FindNewestVaultSql}) AND hour >= @firstWholeHour
            UNION ALL
            SELECT count(*), sum(account_value), min(account_value), max(account_value), sum(anomaly_score), max(anomaly_score),
                   count(*) FILTER (WHERE NOT is_healthy)
              FROM hlp_vault_snapshots
             WHERE vault_address = ({FindNewestVaultSql}) AND observed_at >= @since AND observed_at < @firstWholeHour)
        SELECT coalesce(sum(snapshots), 0)::bigint AS total_snapshots,
               round(sum(account_value_sum) / nullif(sum(snapshots), 0), 6) AS avg_account_value,
               min(account_value_min) AS min_account_value,
               max(account_value_max) AS max_account_value,
               round(sum(anomaly_score_sum) / nullif(sum(snapshots), 0), 6) AS avg_anomaly_score,
               max(anomaly_score_max) AS max_anomaly_score,
               coalesce(sum(unhealthy), 0)::bigint AS unhealthy_snapshots
          FROM parts
        """;

    /// <summary>Adds up the snapshots since a moment of the vault that was observed last.</summary>
    public static BatchRows<HlpVaultStatistics> Summarise(DatabaseBatch batch, DateTimeOffset since, DateTimeOffset now) =>
        batch.Add<HlpVaultStatistics>(
            SummariseSql, ("since", since), ("firstWholeHour", FirstWholeHour(since)), ("newest", StoredTimes.Newest(now)));

    private const string FindOldestOfBrokenHourSql = """
        SELECT coalesce(min(observed_at), @firstWholeHour) AS at
          FROM hlp_vault_snapshots
         WHERE observed_at >= @since AND observed_at < @firstWholeHour
        """;

    /// <summary>When the first of these snapshots leaves the window.</summary>
    public static BatchRows<Edge> FindOldestOfBrokenHour(DatabaseBatch batch, DateTimeOffset since) =>
        batch.Add<Edge>(FindOldestOfBrokenHourSql, ("since", since), ("firstWholeHour", FirstWholeHour(since)));

    private static DateTimeOffset FirstWholeHour(DateTimeOffset since)
    {
        var hour = new DateTimeOffset(since.UtcTicks - (since.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        return hour == since ? hour : hour.AddHours(1);
    }
}
