using System.Diagnostics;
using Monitoring.Benchmarks.Faults;
using Monitoring.Benchmarks.Speed;
using Monitoring.Simulator;
using Monitoring.Simulator.Model;
using Monitoring.Simulator.References;
using Npgsql;

namespace Monitoring.Benchmarks.Memory;

/// <summary>
/// What the real worker holds of this machine's memory after many checks: every monitor once a second, the shortest interval that there is,
/// against the simulator and a PostgreSQL of its own. All checks are real ones, so ten thousand take half an hour.
/// </summary>
internal static class MemoryBench
{
    public const string Name = "memory";
    private const double TargetMb = 150;
    private const int ShownEvery = 1000;
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Judged = TimeSpan.FromMinutes(1);

    private const string CountSql = """
        SELECT count(*) FROM check_runs
        """;

    public static async Task<IReadOnlyList<Measure>> RunAsync(PrivatePostgres postgres, int checks, CancellationToken cancellationToken)
    {
        using var bench = new BenchDatabase(postgres, Name);
        await using var db = await bench.CreateAsync(cancellationToken);
        await using var receiver = await Receiver.StartAsync(cancellationToken);
        await using var simulator = SimulatorApp.Build(new SimulatorOptions(ScenarioLoader.Load("calm")) { WeightLimit = 1_000_000 });
        await simulator.StartAsync(cancellationToken);
        var journal = Path.Combine(Results.Folder, $"memory-journal-{Environment.ProcessId}");
        var settings = Settings(bench.ConnectionString, simulator.Urls.First(), receiver.Url, journal);
        using var worker = WorkerProcess.Start(settings, Path.Combine(Results.Folder, "memory-worker.log"), _ => { });
        using var process = Process.GetProcessById(worker.Id);

        var samples = new Queue<double>();
        var shown = 0;
        for (long done = 0; done < checks; done = await CountAsync(db, cancellationToken))
        {
            await Task.Delay(Pace, TimeProvider.System, cancellationToken);
            if (worker.HasExited)
                throw new InvalidOperationException("the worker ended; its log is artifacts/bench/memory-worker.log");
            process.Refresh();
            samples.Enqueue(process.WorkingSet64 / 1024d / 1024d);
            if (samples.Count > Judged / Pace)
                samples.Dequeue();
            if (done / ShownEvery > shown)
                Console.WriteLine($"  after {(shown = (int)(done / ShownEvery)) * ShownEvery,6} checks: {samples.Last():0} MB");
        }

        await worker.TerminateAsync(cancellationToken);
        Directory.Delete(journal, recursive: true);
        var sorted = samples.Order().ToList();
        return
        [
            new Measure($"worker after {checks} checks, median of a minute", sorted[sorted.Count / 2], "MB", null, null, TargetMb),
            new Measure("the most in that minute", sorted[^1], "MB", null, null, TargetMb),
        ];
    }

    private static async Task<long> CountAsync(NpgsqlDataSource db, CancellationToken cancellationToken)
    {
        await using var count = db.CreateCommand(CountSql);
        return (long)(await count.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Every monitor once a second, against the simulator.</summary>
    public static Dictionary<string, string> Settings(string database, string venue, string receiver, string journal)
    {
        var settings = new Dictionary<string, string>
        {
            ["DATABASE_URL"] = database,
            ["HYPERLIQUID_API_URL"] = venue,
            ["Venues__Hyperliquid__WeightPerMinute"] = "1000000",
            ["WEBHOOK_URL"] = receiver,
            ["JOURNAL_PATH"] = journal,
        };
        foreach (var monitor in (string[])["HLP", "INVENTORY", "ORACLE", "LIQUIDATION"])
            settings[$"{monitor}_CHECK_INTERVAL"] = "1";
        settings["Monitors__Watchdog__Interval"] = "1";
        foreach (var source in ReferenceSources.All)
            settings[$"{source.ToUpperInvariant()}_API_URL"] = venue;
        return settings;
    }
}
