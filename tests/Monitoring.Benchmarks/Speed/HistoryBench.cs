using Npgsql;

namespace Monitoring.Benchmarks.Speed;

/// <summary>
/// The same questions to the oracle's history with millions of rows and with thousands. What grows with the table is missed here.
/// </summary>
internal static class HistoryBench
{
    public const string Name = "history";
    private const int Rounds = 300;
    private const int Assets = 400;
    private const int FewChecks = 25;

    // Spread over the last six days, so that every row lies within the window that is asked for. One row in a hundred
    // deviates enough to be listed by default.
    private const string SeedSql = """
        INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, binance_price, coinbase_price, pyth_price,
                                       kraken_price, okx_price, reference_price, reference_count, left_out, max_deviation_pct,
                                       max_deviation_source, duration_seconds, is_dangerous, risk_score)
        SELECT 'COIN' || asset, at, 100.25 + asset, 100.26, 100.27, NULL, NULL, 100.24, 100.23, 100.25, 3, '{}',
               CASE WHEN (asset + n) % 100 = 0 THEN 0.45 ELSE 0.031 END, 'binance', 0, false, 2.08
          FROM generate_series($1::int, $2::int) AS n,
               LATERAL (SELECT date_trunc('second', $4::timestamptz) - n * (interval '6 days' / $3::int) AS at) AS time,
               generate_series(1, 400) AS asset
        """;

    public static async Task<IReadOnlyList<Measure>> RunAsync(PrivatePostgres postgres, int millions, CancellationToken cancellationToken)
    {
        var checks = millions * 1_000_000 / Assets;
        var now = TimeProvider.System.GetUtcNow();
        using var large = new BenchDatabase(postgres, "history_large");
        using var small = new BenchDatabase(postgres, "history_small");
        await using (var db = await large.CreateAsync(cancellationToken))
            await SeedAsync(db, checks, now, cancellationToken);
        await using (var db = await small.CreateAsync(cancellationToken))
            await SeedAsync(db, FewChecks, now, cancellationToken);

        using var reads = new TimedReads();
        await using var largeApi = await large.StartApiAsync(cancellationToken);
        await using var smallApi = await small.StartApiAsync(cancellationToken);
        (string What, string Query)[] questions =
        [
            ("newest page", "limit=100&hours=168"),
            ("newest page of all rows", "limit=100&hours=168&min_deviation_pct=0"),
            ("page of one asset", "limit=100&hours=168&min_deviation_pct=0&asset=COIN250"),
        ];
        var addresses = questions.SelectMany(question => new[] { largeApi, smallApi }.Select(api =>
            new Uri($"{api.Urls.First()}/security/oracle-deviations/history?{question.Query}"))).ToList();
        var took = await reads.MeasureAsync(Rounds, addresses, cancellationToken);
        return [.. questions.Index().Select(question => new Measure($"{question.Item.What}, median",
            took[2 * question.Index].Percentile(0.5), "ms", $"{Assets * FewChecks} rows in place of {millions} M",
            took[(2 * question.Index) + 1].Percentile(0.5), 2))];
    }

    private static async Task SeedAsync(NpgsqlDataSource db, int checks, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await new Data.Database.DayPartitions(db).EnsureAsync(
            [.. Enumerable.Range(0, 8).Select(day => DateOnly.FromDateTime(now.UtcDateTime).AddDays(-day))], cancellationToken);
        // Two at once, because there are two processors on the smallest machine that this runs on.
        await Task.WhenAll(new[] { (First: 1, Last: checks / 2), (First: (checks / 2) + 1, Last: checks) }.Select(async part =>
        {
            await using var insert = db.CreateCommand(SeedSql);
            insert.CommandTimeout = 900;
            foreach (var value in (object[])[part.First, part.Last, checks, now.UtcDateTime])
                insert.Parameters.Add(new NpgsqlParameter { Value = value });
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }));
        await ApiBench.ExecuteAsync(db, "ANALYZE oracle_deviations", cancellationToken);
    }
}
