using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Benchmarks.Speed;

/// <summary>
/// A check that sees all of its many open events again: read, applied, written and committed with fsync; beside it the same result as the
/// journal takes it, on the disk when it returns. The events lie among as many resolved ones.
/// </summary>
internal static class EventsBench
{
    public const string Name = "events";
    private const int WarmUps = 3;
    private const string ResolveSql = "UPDATE security_events SET status = 'resolved', resolved_at = judged_at WHERE monitor = 'resolved'";
    private static readonly DateTimeOffset Day = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    public static async Task<IReadOnlyList<Measure>> RunAsync(PrivatePostgres postgres, CancellationToken cancellationToken) =>
    [
        .. await MeasureAsync(postgres, 5_000, rounds: 20, targetMs: 150, cancellationToken),
        .. await MeasureAsync(postgres, 50_000, rounds: 7, targetMs: 1_500, cancellationToken),
    ];

    private static async Task<IEnumerable<Measure>> MeasureAsync(
        PrivatePostgres postgres, int events, int rounds, double targetMs, CancellationToken cancellationToken)
    {
        using var bench = new BenchDatabase(postgres, $"{Name}_{events}");
        await using var db = await bench.CreateAsync(cancellationToken);
        var recorder = bench.Recorder();
        var folder = Path.Combine(Results.Folder, $"events-journal-{Environment.ProcessId}-{events}");
        var (recording, journalling, opening) = (new Durations(), new Durations(), new Durations());
        using (var journal = Journal.Open(new JournalOptions(folder, 1L << 32), NullLogger.Instance))
        {
            await recorder.WriteAsync(Result("resolved", 0, events), cancellationToken);
            opening.Add(await TimeAsync(() => recorder.WriteAsync(Result("open", 0, events), cancellationToken)));
            await using (var resolve = db.CreateCommand(ResolveSql))
                await resolve.ExecuteNonQueryAsync(cancellationToken);
            for (var i = 1; i <= WarmUps + rounds; i++)
            {
                var result = Result("open", i, events);
                var recorded = await TimeAsync(() => recorder.WriteAsync(result, cancellationToken));
                var journalled = await TimeAsync(() => Task.FromResult(journal.Append(new ResultEntry(result).ToJson(), Day)));
                if (i <= WarmUps)
                    continue;
                recording.Add(recorded);
                journalling.Add(journalled);
            }
        }

        Directory.Delete(folder, recursive: true);
        return
        [
            new Measure($"{events:N0} events seen again, median", recording.Percentile(0.5), "ms", null, null, targetMs),
            new Measure($"{events:N0} events seen again, longest", recording.Percentile(1), "ms", null, null, 3 * targetMs),
            new Measure($"{events:N0} events into the journal, median", journalling.Percentile(0.5), "ms", null, null, targetMs),
            new Measure($"{events:N0} events opened at once", opening.Percentile(1), "ms", null, null, 6 * targetMs),
        ];
    }

    private static async Task<TimeSpan> TimeAsync<T>(Func<Task<T>> work)
    {
        var began = TimeProvider.System.GetTimestamp();
        await work();
        return TimeProvider.System.GetElapsedTime(began);
    }

    private static CheckResult Result(string monitor, int minute, int events)
    {
        var at = Day.AddMinutes(minute);
        var findings = Enumerable.Range(0, events).Select(i => Found($"{monitor}-{i:00000}", minute)).ToArray();
        var run = new CheckRun(monitor, at, CheckTrigger.Grid, at, at, CheckOutcome.Succeeded, 0, events, null, "bench");
        return new CheckResult(run, [], findings, []);
    }

    private static Finding Found(string coin, int minute) => new("bench.events", 1, "hlp_concentration", Severity.High,
        new EventSubject("position", coin, Account: "0x010461c14e146ac35fe42271bdc1134ee31c703a"),
        $"HLP component 0x0104…703a holds 12.34 M USD of {coin} short, 17.2 % of HLP's equity",
        $"The component vault 0x010461c14e146ac35fe42271bdc1134ee31c703a holds -123456.78 {coin} with a PnL of -{minute}.25 USD.",
        new Evidence(
            new JsonObject
            {
                ["coin"] = coin, ["size"] = -123456.78m, ["notional_usd"] = 12_340_000.5m, ["equity_usd"] = 71_000_000m,
                ["share_pct"] = 17.2m + minute,
            },
            new JsonObject { ["medium_pct"] = 15, ["high_pct"] = 30, ["critical_pct"] = 50 },
            [$"share = 100 * 12340000.5 / 71000000 = {17.2m + minute} % >= 15: medium"]),
        ["0x010461c14e146ac35fe42271bdc1134ee31c703a"], 1234.5m);
}
