using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Monitoring.Benchmarks.Faults;
using Monitoring.Benchmarks.Speed;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Simulator;
using Monitoring.Worker.Checks;

namespace Monitoring.Benchmarks.Delivery;

/// <summary>
/// From the commit of a finding to the receipt of its webhook: events are committed through the worker's recorder in
/// this process, the real worker as another process sends them. The time runs from before the commit is asked for, so
/// it holds the whole transaction too.
/// </summary>
internal static class DeliveryBench
{
    public const string Name = "delivery";
    private const int Events = 1000;
    private const int WarmUps = 300; // until both processes have compiled what is hot
    private const double TargetMs = 20;
    private const double LongestMs = 1000;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static async Task<IReadOnlyList<Measure>> RunAsync(PrivatePostgres postgres, CancellationToken cancellationToken)
    {
        using var bench = new BenchDatabase(postgres, Name);
        await using var db = await bench.CreateAsync(cancellationToken);
        await using var receiver = await Receiver.StartAsync(cancellationToken);
        await using var simulator = SimulatorApp.Build(new SimulatorOptions(Simulator.Model.ScenarioLoader.Load("calm")));
        await simulator.StartAsync(cancellationToken);
        (string Key, string Value)[] notifying = [("WEBHOOK_URL", receiver.Url), ("Notifications__GroupWindow", "0")];
        using var worker = WorkerProcess.Start(
            WorkerSettings(bench, simulator, notifying), Path.Combine(Results.Folder, "delivery-worker.log"), _ => { });
        await worker.FirstKept.WaitAsync(Patience, TimeProvider.System, cancellationToken);

        var received = new ConcurrentDictionary<string, long>();
        receiver.OnTaken = message => Note(message, received);
        var recorder = bench.Recorder(
            [.. notifying.Select(setting => (setting.Key.Replace("__", ":", StringComparison.Ordinal), setting.Value))]);
        var committed = new Dictionary<string, long>();
        for (var i = 0; i < WarmUps + Events; i++)
        {
            var subject = $"subject {i}";
            committed[subject] = TimeProvider.System.GetTimestamp();
            await recorder.WriteAsync(Result($"bench-{i}", subject), cancellationToken);
            await Task.Delay(Pace, TimeProvider.System, cancellationToken);
        }

        var given = TimeProvider.System.GetTimestamp();
        while (received.Count < committed.Count && TimeProvider.System.GetElapsedTime(given) < Patience)
            await Task.Delay(Pace, TimeProvider.System, cancellationToken);
        await worker.TerminateAsync(cancellationToken);
        return Judge(committed, received);
    }

    private static List<Measure> Judge(Dictionary<string, long> committed, ConcurrentDictionary<string, long> received)
    {
        var durations = new Durations();
        foreach (var (subject, from) in committed.Skip(WarmUps))
            if (received.TryGetValue(subject, out var until))
                durations.Add(TimeProvider.System.GetElapsedTime(from, until));
        return
        [
            new Measure($"not received, of {Events} events", Events - durations.Count, "", null, null, 0),
            new Measure("finding to webhook, median", durations.Percentile(0.5), "ms", null, null, TargetMs),
            new Measure("finding to webhook, p99", durations.Percentile(0.99), "ms", null, null, TargetMs),
            new Measure("finding to webhook, longest", durations.Percentile(1), "ms", null, null, LongestMs),
        ];
    }

    private static void Note(ReceivedMessage message, ConcurrentDictionary<string, long> received)
    {
        var at = TimeProvider.System.GetTimestamp();
        foreach (var change in JsonDocument.Parse(message.Body).RootElement.GetProperty("changes").EnumerateArray())
            received.TryAdd(change.GetProperty("subject").GetString()!, at);
    }

    // Each of a monitor of its own, so that no other check finds it gone.
    private static CheckResult Result(string monitor, string subject)
    {
        var now = TimeProvider.System.GetUtcNow();
        var finding = new Finding("bench.delivery", 1, "oracle_manipulation", Severity.Critical, new EventSubject("bench", subject),
            $"An event of {subject}", "Made by ./bench delivery.",
            new Evidence(new JsonObject { ["value"] = 2.5m }, new JsonObject { ["limit"] = 1m }, ["2.5 >= 1"]), [], null);
        return new CheckResult(
            new CheckRun(monitor, now, CheckTrigger.Feed, now, now, CheckOutcome.Succeeded, 0, 1, null, "bench"), [], [finding], []);
    }

    // The stand-in of the venue lives in this process: nothing is asked of it while the time runs.
    private static Dictionary<string, string> WorkerSettings(
        BenchDatabase bench, WebApplication simulator, (string Key, string Value)[] notifying)
    {
        var settings = notifying.ToDictionary(setting => setting.Key, setting => setting.Value);
        foreach (var (name, value) in ((string, string)[])
                 [
                     ("DATABASE_URL", bench.ConnectionString), ("HYPERLIQUID_API_URL", simulator.Urls.First()),
                     ("HLP_CHECK_INTERVAL", "86400"), ("INVENTORY_CHECK_INTERVAL", "86400"),
                     ("LIQUIDATION_CHECK_INTERVAL", "86400"), ("ORACLE_CHECK_INTERVAL", "86400"),
                     ("HYPERLIQUID_FEED", "off"), ("LOG_LEVEL", "debug"),
                     ("JOURNAL_PATH", Path.Combine(Results.Folder, "delivery-journal")),
                 ])
            settings[name] = value;
        foreach (var source in Simulator.References.ReferenceSources.All)
            settings[$"{source.ToUpperInvariant()}_API_URL"] = "off";
        return settings;
    }
}
