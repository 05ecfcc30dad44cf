using Npgsql;

namespace Monitoring.Benchmarks.Speed;

/// <summary>
/// The reads that a page makes all the time, against a bare Kestrel endpoint that runs a raw query for the same rows
/// and answers the same bytes.
/// </summary>
internal static class ApiBench
{
    public const string Name = "api";
    private const int Rounds = 2000;
    private const int Clients = 32;
    private const double OverviewTarget = 3.5;

    private static readonly string[] OverviewPaths = ["/security/dashboard", "/security/monitors", "/metrics"];

    private const string TinySql = "SELECT pg_current_snapshot()::text";

    private const string SeedSql = """
        INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, pnl_1h, pnl_24h, pnl_7d,
                                         pnl_30d, all_time_pnl, sharpe_ratio, drawdown_pct, max_drawdown_pct, z_score, loss_score,
                                         drawdown_score, volatility_score, anomaly_score, is_healthy, health_issues)
        SELECT '0xdfc24b077bc1425ad1dea75bcb6f8158e10df303', at, at, 451000000.123456 + n, 451000000.123456 + n, 1000 + n, 20000, 300000,
               4000000, 63400000.5, 1.75, 0.1, 2.25, 0.5, 1, 2, 3, 6, true, '{}'
          FROM generate_series(1, 8000) AS n, LATERAL (SELECT date_trunc('minute', now()) - n * interval '5 minutes' AS at) AS time
        """;

    private const string LatestSql = """
        SELECT vault_address, observed_at, venue_at, account_value, total_value_locked, pnl_1h, pnl_24h, pnl_7d, pnl_30d, all_time_pnl,
               sharpe_ratio, drawdown_pct, max_drawdown_pct, z_score, loss_score, drawdown_score, volatility_score, anomaly_score,
               is_healthy, health_issues
          FROM hlp_vault_snapshots
         WHERE vault_address = '0xdfc24b077bc1425ad1dea75bcb6f8158e10df303'
         ORDER BY observed_at DESC
         LIMIT 1
        """;

    private const string HistorySql = """
        SELECT vault_address, observed_at, venue_at, account_value, total_value_locked, pnl_1h, pnl_24h, pnl_7d, pnl_30d, all_time_pnl,
            sharpe_ratio,
               drawdown_pct, max_drawdown_pct, z_score, loss_score, drawdown_score, volatility_score, anomaly_score, is_healthy,
                   health_issues
          FROM hlp_vault_snapshots
         WHERE vault_address = '0xdfc24b077bc1425ad1dea75bcb6f8158e10df303' AND observed_at < now()
         ORDER BY observed_at DESC
         LIMIT 101
        """;

    // Moves the mark of the database, as any commit does.
    private const string WriteSql = "SELECT pg_current_xact_id()";

    public static async Task<IReadOnlyList<Measure>> RunAsync(PrivatePostgres postgres, CancellationToken cancellationToken)
    {
        using var bench = new BenchDatabase(postgres, Name);
        await using var db = await bench.CreateAsync(cancellationToken);
        await ExecuteAsync(db, SeedSql, cancellationToken);
        await BusyDay.FillAsync(db, cancellationToken);

        using var reads = new TimedReads();
        await using var api = await bench.StartApiAsync(cancellationToken);
        var (latest, history) =
            (new Uri(api.Urls.First() + "/security/hlp-vault"), new Uri(api.Urls.First() + "/security/hlp-vault/history?limit=100"));
        var overview = OverviewPaths.Select(path => new Uri(api.Urls.First() + path)).ToList();
        await using var bare = await BareEndpoint.StartAsync(db, new Dictionary<string, (string, byte[])>
        {
            ["/latest"] = (LatestSql, await reads.GetAsync(latest, cancellationToken)),
            ["/history"] = (HistorySql, await reads.GetAsync(history, cancellationToken)),
            ["/tiny"] = (TinySql, await reads.GetAsync(overview[0], cancellationToken)),
        }, cancellationToken);
        Uri Bare(string path) => new(bare.Urls.First() + path);
        var took = await reads.MeasureAsync(Rounds, [latest, Bare("/latest"), history, Bare("/history")], cancellationToken);
        var (changed, once) = (new Durations(), new Durations());
        for (var round = 0; round < Rounds; round++)
        {
            await ExecuteAsync(db, WriteSql, cancellationToken);
            await reads.TimeAsync(latest, changed, cancellationToken);
            await reads.TimeAsync(Bare("/latest"), once, cancellationToken);
        }

        var each = await reads.MeasureTogetherAsync(Clients, [history, Bare("/history"), .. overview, Bare("/tiny")], cancellationToken);
        var tiny = each[^1];
        return
        [
            new Measure("latest snapshot, median", took[0].Percentile(0.5), "ms", "bare endpoint, raw query", took[1].Percentile(0.5), 1.3),
            new Measure("latest snapshot, p99", took[0].Percentile(0.99), "ms", "bare endpoint, raw query", took[1].Percentile(0.99), 1.5),
            new Measure("latest snapshot after a commit, median", changed.Percentile(0.5), "ms", "bare endpoint, raw query",
                once.Percentile(0.5), 2),
            new Measure("history page of 100, median", took[2].Percentile(0.5), "ms", "bare endpoint, raw query", took[3].Percentile(0.5),
                1.3),
            new Measure("history page of 100, p99", took[2].Percentile(0.99), "ms", "bare endpoint, raw query", took[3].Percentile(0.99),
                1.5),
            new Measure($"history page of 100, {Clients} clients", each[0], "ms", "bare endpoint, raw query", each[1], 1 / 0.7),
            .. OverviewPaths.Select((path, i) =>
                new Measure($"{path}, {Clients} clients", each[2 + i], "ms", "bare endpoint, a tiny query", tiny, OverviewTarget)),
        ];
    }

    public static async Task ExecuteAsync(NpgsqlDataSource db, string sql, CancellationToken cancellationToken)
    {
        await using var command = db.CreateCommand(sql);
        command.CommandTimeout = 900;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
