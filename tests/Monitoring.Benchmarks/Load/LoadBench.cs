using System.Diagnostics;
using Monitoring.Benchmarks.Faults;
using Monitoring.Benchmarks.Memory;
using Monitoring.Benchmarks.Speed;
using Monitoring.Data.Access;
using Monitoring.Simulator;
using Monitoring.Simulator.Model;
using Npgsql;

namespace Monitoring.Benchmarks.Load;

/// <summary>
/// Whether the read service shuts anybody out while a crowd is unkind to it, how much memory it takes, and whether the worker beside it
/// still records in time.
/// </summary>
internal static class LoadBench
{
    public const string Name = "load";

    private const int Keys = 7;
    private const double MostMegabytes = 350;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private const string AddKeySql = """
        INSERT INTO api_keys (key_id, name, prefix, key_hash, scopes, requests_per_minute, created_at, created_by)
        VALUES (gen_random_uuid(), @name, @prefix, @hash, '{read,operate}', 6000, now(), 'bench')
        """;

    // What the streams send: many changes of one event with a long description.
    private const string SeedSql = """
        WITH made AS (
            INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                         title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                         last_seen_at, judged_at)
            VALUES (gen_random_uuid(), 'f', 'm', 'r', 1, 't', 'low', 'open', 's', 't', repeat('x', 4000), '{}', '{}', 1, 0, now(), now(),
                    now())
            RETURNING event_id)
        INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor)
        SELECT event_id, now(), 'escalated', 'low', 'worker' FROM made, generate_series(1, 2000)
        """;

    private const string LagSql = """
        SELECT coalesce(extract(epoch FROM max(recorded_at - finished_at)), 999)::float8 FROM check_runs WHERE finished_at >= @since
        """;

    public static async Task<IReadOnlyList<Measure>> RunAsync(PrivatePostgres postgres, int seconds, CancellationToken cancellationToken)
    {
        using var bench = new BenchDatabase(postgres, Name);
        await using var db = await bench.CreateAsync(cancellationToken);
        await ApiBench.ExecuteAsync(db, SeedSql, cancellationToken);
        var keys = new List<string>();
        for (var i = 0; i <= Keys; i++)
            keys.Add(await AddKeyAsync(db, $"key{i}", cancellationToken));

        await using var receiver = await Receiver.StartAsync(cancellationToken);
        await using var simulator = SimulatorApp.Build(new SimulatorOptions(ScenarioLoader.Load("calm")) { WeightLimit = 1_000_000 });
        await simulator.StartAsync(cancellationToken);
        var journal = Path.Combine(Results.Folder, $"load-journal-{Environment.ProcessId}");
        using var worker = WorkerProcess.Start(
            MemoryBench.Settings(bench.ConnectionString, simulator.Urls.First(), receiver.Url, journal),
            Path.Combine(Results.Folder, "load-worker.log"), _ => { });
        await worker.FirstKept.WaitAsync(cancellationToken);
        using var api = await ApiProcess.StartAsync(bench.ConnectionString, cancellationToken);

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var crowd = new Crowd(api.Address, keys[..Keys]);
        var since = TimeProvider.System.GetUtcNow().UtcDateTime;
        var pressing = crowd.RunAsync(end.Token);
        var watched = await WatchAsync(api, keys[Keys], TimeSpan.FromSeconds(seconds), cancellationToken);
        await using var lag = db.CreateCommand(LagSql);
        lag.Parameters.AddWithValue("since", since);
        var lagSeconds = (double)(await lag.ExecuteScalarAsync(cancellationToken))!;
        await end.CancelAsync();
        crowd.Dispose();
        await pressing;
        await worker.TerminateAsync(cancellationToken);
        Directory.Delete(journal, recursive: true);
        Console.WriteLine($"  {crowd.Asked / seconds} requests/s of the flood were answered, {watched.Probes.Count} probes, "
            + $"{watched.Reads.Count} reads with a key");
        return
        [
            new Measure("the slowest probe", watched.Probes.Percentile(1), "ms", null, null, 1000),
            new Measure("a read with a key, p99", watched.Reads.Percentile(0.99), "ms", null, null, 2000),
            new Measure("probes and reads that were not served", watched.Refused, "", null, null, 0),
            new Measure("the read service at most", watched.Megabytes, "MB", null, null, MostMegabytes),
            new Measure("the worker's recording lags at most", lagSeconds, "s", null, null, 1),
        ];
    }

    private sealed record Watched(Durations Probes, Durations Reads, int Refused, double Megabytes);

    private static async Task<Watched> WatchAsync(ApiProcess api, string key, TimeSpan time, CancellationToken cancellationToken)
    {
        var (probes, reads, refused, megabytes) = (new Durations(), new Durations(), 0, 0d);
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = api.Address, Timeout = TimeSpan.FromSeconds(10) };
        http.DefaultRequestHeaders.Add("X-API-Key", key);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time; await Task.Delay(Pace, TimeProvider.System, cancellationToken))
        {
            foreach (var (path, durations) in new[]
            {
                ("/health/live", probes), ("/health/ready", probes), ("/security/events?limit=10", reads),
            })
            {
                var asked = Stopwatch.GetTimestamp();
                if (!await IsServedAsync(http, path, cancellationToken))
                    refused++;
                durations.Add(Stopwatch.GetElapsedTime(asked));
            }

            megabytes = Math.Max(megabytes, api.Megabytes);
        }

        return new Watched(probes, reads, refused, megabytes);
    }

    // Each on a connection of its own, as a probe asks.
    private static async Task<bool> IsServedAsync(HttpClient http, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { ConnectionClose = true } };
            using var answer = await http.SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task<string> AddKeyAsync(NpgsqlDataSource db, string name, CancellationToken cancellationToken)
    {
        var text = ApiKeyText.Create();
        await using var add = db.CreateCommand(AddKeySql);
        add.Parameters.AddWithValue("name", name);
        add.Parameters.AddWithValue("prefix", ApiKeyText.Prefix(text));
        add.Parameters.AddWithValue("hash", ApiKeyText.Hash(text));
        await add.ExecuteNonQueryAsync(cancellationToken);
        return text;
    }
}
