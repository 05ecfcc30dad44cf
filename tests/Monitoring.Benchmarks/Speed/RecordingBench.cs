using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Npgsql;
using NpgsqlTypes;

namespace Monitoring.Benchmarks.Speed;

/// <summary>
/// Recording the result of one oracle check of so many assets, against a raw COPY of the same rows into the same table. Both commit with
/// fsync; they take turns, so that the machine's noise hits both.
/// </summary>
internal static class RecordingBench
{
    public const string Name = "recording";
    private const int WarmUps = 20;

    public static async Task<IReadOnlyList<Measure>> RunAsync(PrivatePostgres postgres, CancellationToken cancellationToken) =>
    [
        .. await MeasureAsync(postgres, 400, rounds: 300, target: 1.4, cancellationToken),
        .. await MeasureAsync(postgres, 5_000, rounds: 60, target: 1.25, cancellationToken),
    ];

    private static async Task<IEnumerable<Measure>> MeasureAsync(
        PrivatePostgres postgres, int assets, int rounds, double target, CancellationToken cancellationToken)
    {
        using var bench = new BenchDatabase(postgres, $"{Name}_{assets}");
        await using var db = await bench.CreateAsync(cancellationToken);
        var recorder = bench.Recorder();
        var day = new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);
        var (recording, copying, recorded, copied) = (new Durations(), new Durations(), 0L, 0L);
        for (var i = 0; i < WarmUps + rounds; i++)
        {
            var first = OracleRows.Result(day.AddSeconds(2 * i), assets);
            var second = OracleRows.Result(day.AddSeconds((2 * i) + 1), assets);
            var (recordingTook, recordingBytes) = await MeasureAsync(() => recorder.WriteAsync(first, cancellationToken));
            var (copyingTook, copyingBytes) = await MeasureAsync(() => CopyAsync(db, second, cancellationToken));
            if (i < WarmUps)
                continue;
            recording.Add(recordingTook);
            copying.Add(copyingTook);
            (recorded, copied) = (recorded + recordingBytes, copied + copyingBytes);
        }

        return
        [
            new Measure($"a check of {assets:N0} rows, median", recording.Percentile(0.5), "ms", "COPY of the rows",
                copying.Percentile(0.5), target),
            new Measure($"a check of {assets:N0} rows, p95", recording.Percentile(0.95), "ms", "COPY of the rows",
                copying.Percentile(0.95), 1.5 * target),
            new Measure("memory allocated for it", (double)recorded / rounds, "bytes", "COPY of the rows", (double)copied / rounds, 1.5),
        ];
    }

    private static async Task<(TimeSpan Took, long Bytes)> MeasureAsync(Func<Task> work)
    {
        var (bytes, began) = (GC.GetTotalAllocatedBytes(), TimeProvider.System.GetTimestamp());
        await work();
        return (TimeProvider.System.GetElapsedTime(began), GC.GetTotalAllocatedBytes() - bytes);
    }

    private const string CopySql = """
        COPY oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, binance_price, coinbase_price, pyth_price, kraken_price,
                                okx_price, reference_price, reference_count, left_out, max_deviation_pct, max_deviation_source,
                                breached_since, duration_seconds, floor_pct, is_dangerous, severity, risk_score)
        FROM STDIN (FORMAT binary)
        """;

    private static async Task CopyAsync(NpgsqlDataSource db, CheckResult result, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var writer = await connection.BeginBinaryImportAsync(CopySql, cancellationToken);
        foreach (var row in result.Observations.Cast<OracleDeviation>())
        {
            await writer.StartRowAsync(cancellationToken);
            await writer.WriteAsync(row.Asset, cancellationToken);
            await writer.WriteAsync(row.ObservedAt.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
            foreach (var price in (decimal?[])[row.HyperliquidPrice, row.MarkPrice, row.BinancePrice, row.CoinbasePrice,
                row.PythPrice, row.KrakenPrice, row.OkxPrice, row.ReferencePrice])
                await writer.WriteAsync(price!.Value, cancellationToken);
            await writer.WriteAsync(row.ReferenceCount, cancellationToken);
            await writer.WriteAsync(row.LeftOut, cancellationToken);
            await writer.WriteAsync(row.MaxDeviationPct, cancellationToken);
            await writer.WriteAsync(row.MaxDeviationSource, cancellationToken);
            await writer.WriteNullAsync(cancellationToken);
            await writer.WriteAsync(row.DurationSeconds, cancellationToken);
            await writer.WriteAsync(row.FloorPct!.Value, cancellationToken);
            await writer.WriteAsync(row.IsDangerous, cancellationToken);
            await writer.WriteNullAsync(cancellationToken);
            await writer.WriteAsync(row.RiskScore!.Value, cancellationToken);
        }

        await writer.CompleteAsync(cancellationToken);
    }
}
