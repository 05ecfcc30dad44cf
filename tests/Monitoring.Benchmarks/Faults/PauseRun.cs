using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Simulator;
using Monitoring.Simulator.Model;
using Monitoring.Simulator.References;
using Npgsql;

namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// Holds still what a worker is or depends on: its own process (SIGSTOP), one table after the other (LOCK TABLE), the server (a gate that
/// passes nothing on). Or breaks its journal while the server is away, and kills it. Several workers side by side, each with a venue, a
/// database and a receiver of its own.
/// </summary>
internal sealed class PauseRun : IAsyncDisposable
{
    private const double ToldWithin = 15;
    private const double OverdueAtMost = 2;
    private const int IntervalSeconds = 4;
    private const int WatchdogSeconds = 10;
    private static readonly string[] Monitors = ["hlp-vault", "inventory", "oracle", "liquidations", "watchdog"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan JournalPatience = TimeSpan.FromMinutes(3); // eight workers start again and again on two cores

    private readonly string _name;
    private readonly string _folder;
    private readonly IReadOnlyList<Pause> _pauses;
    private readonly ConcurrentQueue<(KeptCheck Check, DateTimeOffset At)> _kept = [];
    private readonly JournalDamage _journal;
    private readonly ConcurrentQueue<(string Coin, DateTimeOffset At)> _told = [];
    private NpgsqlDataSource _db = null!;
    private TcpGate _gate = null!;
    private Receiver _receiver = null!;
    private WebApplication _simulator = null!;
    private WorkerProcess? _worker;
    private string _database = "";

    private PauseRun(string folder, int number, IReadOnlyList<Pause> pauses) =>
        (_name, _folder, _pauses, _journal) = ($"pauses_{number}", Directory.CreateDirectory(Path.Combine(folder, $"{number}")).FullName,
            pauses, new JournalDamage(Path.Combine(folder, $"{number}", "journal")));

    private Venue Venue => _simulator.Services.GetRequiredService<Venue>();

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>One whole run. The workers' logs stay in artifacts/bench.</summary>
    public static async Task<PauseReport> RunAsync(PauseOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(Results.Folder, $"pauses-{Environment.ProcessId}");
        await using var postgres = await PrivatePostgres.StartAsync(Path.Combine(folder, "postgres"), cancellationToken);
        IReadOnlyList<string> tables;
        await using (var db = postgres.Open())
        await using (var connection = await db.OpenConnectionAsync(cancellationToken))
            tables = [.. await connection.QueryAsync<string>(
                "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
                + "AND NOT relispartition")];
        var plan = options.Plan(tables);
        output.WriteLine($"{options.Freezes} freezes of the worker, {options.Locks} locks, {options.Journals} broken journals, "
            + $"{plan.Count} workers side by side, {plan.Max(worker => worker[^1].EndsAt):0} s; "
            + $"logs in {Path.GetRelativePath(Repository.File("."), folder)}");
        var runs = plan.Select((pauses, number) => new PauseRun(folder, number + 1, pauses)).ToList();
        try
        {
            foreach (var run in runs) // one after the other: a database is a copy of a file system
                await run.StartAsync(postgres, cancellationToken);
            var results = await Task.WhenAll(runs.Select(run => run.PlayAsync(cancellationToken)));
            var ends = new List<string>();
            var missing = 0;
            foreach (var run in runs)
                missing += await run.EndAsync(ends, cancellationToken);
            return new PauseReport([.. results.SelectMany(result => result)], runs.Sum(run => run._kept.Count), missing, ends);
        }
        finally
        {
            foreach (var run in runs)
                await run.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _worker?.Dispose();
        _journal.Dispose();
        if (_simulator is not null)
            await _simulator.DisposeAsync();
        if (_receiver is not null)
            await _receiver.DisposeAsync();
        if (_gate is not null)
            await _gate.DisposeAsync();
        if (_db is not null)
            await _db.DisposeAsync();
    }

    private async Task StartAsync(PrivatePostgres postgres, CancellationToken cancellationToken)
    {
        _db = await postgres.CreateDatabaseAsync(_name, cancellationToken);
        _gate = new TcpGate("127.0.0.1", postgres.Connection.Port);
        _receiver = await Receiver.StartAsync(cancellationToken);
        _receiver.OnTaken = message => Take(message, Now);
        _simulator = SimulatorApp.Build(new SimulatorOptions(CreateScenario()) { WeightLimit = 100_000_000 });
        await _simulator.StartAsync(cancellationToken);
        _database = new NpgsqlConnectionStringBuilder(postgres.Connection.ConnectionString)
        {
            Host = "127.0.0.1", Port = _gate.Port, Database = _name, Timeout = 5,
        }.ConnectionString;
        StartWorker();
    }

    private void StartWorker() => _worker = WorkerProcess.Start(
        Settings(_database), Path.Combine(_folder, "worker.log"), check => _kept.Enqueue((check, Now)));

    private Scenario CreateScenario()
    {
        var scenario = FaultScenario.Create(seed: 1, TimeSpan.FromSeconds(_pauses[^1].EndsAt));
        return scenario with
        {
            Moves =
            [
                .. scenario.Moves.Where(move => move.Oracle is null),
                .. _pauses.Where(pause => pause.Kind is PauseKind.Table or PauseKind.Server).SelectMany(pause => new[]
                {
                    new Move((decimal)pause.AttackedAt, Oracle: new OracleMove(pause.Coin, 1.03m)),
                    new Move((decimal)pause.EndsAt, Oracle: new OracleMove(pause.Coin, 1)),
                }),
            ],
        };
    }

    private Dictionary<string, string> Settings(string database)
    {
        var settings = new Dictionary<string, string>
        {
            ["DATABASE_URL"] = database,
            ["HYPERLIQUID_API_URL"] = _simulator.Urls.First(),
            ["Venues__Hyperliquid__WeightPerMinute"] = "1000000",
            ["Rules__oracle_deviation__FloorFactor"] = "0",
            ["WEBHOOK_URL"] = _receiver.Url, ["Notifications__GroupWindow"] = "2",
            ["DATABASE_POOL_SIZE"] = "5", ["DATABASE_MAX_OVERFLOW"] = "3", // eight workers share a server
            ["JOURNAL_PATH"] = _journal.Folder,
            ["LOG_LEVEL"] = "debug",
        };
        foreach (var monitor in (string[])["HLP", "INVENTORY", "ORACLE", "LIQUIDATION"])
            settings[$"{monitor}_CHECK_INTERVAL"] = $"{IntervalSeconds}";
        foreach (var source in ReferenceSources.All)
            settings[$"{source.ToUpperInvariant()}_API_URL"] = _simulator.Urls.First();
        return settings;
    }

    private void Take(ReceivedMessage message, DateTimeOffset at)
    {
        foreach (var change in JsonDocument.Parse(message.Body).RootElement.GetProperty("changes").EnumerateArray())
            if (change.GetProperty("rule_id").GetString() == "oracle.deviation" && change.GetProperty("severity").GetString() == "critical"
                && change.GetProperty("kind").GetString() is "opened" or "escalated")
                _told.Enqueue((change.GetProperty("subject").GetString()!, at));
    }

    private async Task<IReadOnlyList<PauseResult>> PlayAsync(CancellationToken cancellationToken)
    {
        var results = new List<PauseResult>();
        foreach (var pause in _pauses)
        {
            await UntilAsync(() => Venue.Now.Seconds >= (decimal)pause.At, Timeout.InfiniteTimeSpan, cancellationToken);
            results.Add(await (pause.Kind switch
            {
                PauseKind.Worker => FreezeAsync(pause, cancellationToken),
                PauseKind.Journal => BreakJournalAsync(pause, cancellationToken),
                _ => HoldAsync(pause, cancellationToken),
            }));
        }

        return results;
    }

    private async Task<PauseResult> FreezeAsync(Pause pause, CancellationToken cancellationToken)
    {
        await SignalAsync("STOP", cancellationToken);
        await Task.Delay(pause.For, TimeProvider.System, cancellationToken);
        await SignalAsync("CONT", cancellationToken);
        var (from, problems) = (Now, new List<string>());
        try
        {
            await UntilAsync(() => _worker!.HasExited || MonitorsSince(from) == Monitors.Length, Patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            problems.Add($"{MonitorsSince(from)} of {Monitors.Length} monitors were checked within {Patience.TotalSeconds:0} s of it");
        }

        if (_worker!.HasExited)
            problems.Add("the worker ended");
        return new PauseResult(pause, null, 0, problems);
    }

    // An outage with some results in the journal, more of them after it was broken, the worker's death; its successor stores them.
    private async Task<PauseResult> BreakJournalAsync(Pause pause, CancellationToken cancellationToken)
    {
        var way = Enum.Parse<JournalWay>(pause.What);
        var problems = new List<string>();
        _gate.Close();
        await KeepAsync(4, problems, cancellationToken);
        _journal.BackUp();
        await KeepAsync(2, problems, cancellationToken);
        _journal.Break(way);
        await KeepAsync(3, problems, cancellationToken);
        _journal.Mend(way);
        await KeepAsync(5, problems, cancellationToken); // it looks at its journal every two seconds
        await _worker!.KillAsync(cancellationToken);
        _worker.Dispose();
        _gate.Open();
        StartWorker();
        await KeepAsync(2, problems, cancellationToken);
        if (_worker.HasExited)
            problems.Add("the worker ended");
        return new PauseResult(pause, null, 0, problems);
    }

    // One that keeps nothing for so long is a problem of its own, and no reason to lose the verdict on all others.
    private async Task KeepAsync(int results, List<string> problems, CancellationToken cancellationToken)
    {
        var enough = _kept.Count + results;
        try
        {
            await UntilAsync(() => _kept.Count >= enough, JournalPatience, cancellationToken);
        }
        catch (TimeoutException)
        {
            problems.Add($"{_kept.Count - enough + results} of {results} results were kept within {JournalPatience.TotalSeconds:0} s");
        }
    }

    private int MonitorsSince(DateTimeOffset from) =>
        _kept.Where(kept => kept.At > from && kept.Check.ScheduledAt >= from).Select(kept => kept.Check.Monitor).Distinct().Count();

    private async Task<PauseResult> HoldAsync(Pause pause, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        var begun = Now;
        await using (await BeginHoldingAsync(pause, cancellationToken))
            await UntilAsync(() => Venue.Now.Seconds >= (decimal)pause.EndsAt, pause.For + Patience, cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(WatchdogSeconds), TimeProvider.System, cancellationToken);

        var attackedAt = Venue.Start.AddSeconds(pause.AttackedAt);
        var told = _told.Where(one => one.Coin == pause.Coin && one.At >= attackedAt).Select(one => (one.At - attackedAt).TotalSeconds)
            .Cast<double?>().FirstOrDefault();
        if (told is null || told > ToldWithin)
            problems.Add(told is null ? "it was not told" : $"told later than {ToldWithin} s");
        var overdue = Monitors.Max(monitor => OverdueOf(monitor, begun));
        if (overdue > OverdueAtMost)
            problems.Add($"{Monitors.MaxBy(monitor => OverdueOf(monitor, begun))} went without a check");
        if (_worker!.HasExited)
            problems.Add("the worker ended");
        return new PauseResult(pause, told, overdue, problems);
    }

    // By how much the longest time without a check of this monitor was longer than its interval.
    private double OverdueOf(string monitor, DateTimeOffset from)
    {
        var times = _kept.Where(kept => kept.Check.Monitor == monitor && kept.At >= from).Select(kept => kept.At)
            .Prepend(from).Append(Now).Order().ToList();
        return times.Zip(times.Skip(1), (earlier, later) => (later - earlier).TotalSeconds).Max()
            - (monitor == "watchdog" ? WatchdogSeconds : IntervalSeconds);
    }

    private async Task<IAsyncDisposable> BeginHoldingAsync(Pause pause, CancellationToken cancellationToken)
    {
        if (pause.Kind == PauseKind.Server)
        {
            _gate.Freeze();
            return new Ending(() =>
            {
                _gate.Thaw();
                return Task.CompletedTask;
            });
        }

        var connection = await _db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync($"BEGIN; LOCK TABLE \"{pause.What}\" IN ACCESS EXCLUSIVE MODE");
        return new Ending(async () =>
        {
            await connection.ExecuteAsync("ROLLBACK");
            await connection.DisposeAsync();
        });
    }

    private sealed class Ending(Func<Task> end) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await end();
    }

    // Stops the worker and answers how many of the checks that it said it keeps are neither stored by then nor named by an event.
    private async Task<int> EndAsync(List<string> ends, CancellationToken cancellationToken)
    {
        if (await _worker!.TerminateAsync(cancellationToken) is var code && code != 0)
            ends.Add($"{_name} ended with {code}");
        await using var connection = await _db.OpenConnectionAsync(cancellationToken);
        var named = await connection.QuerySingleAsync<int>("SELECT coalesce(sum((indicators ->> 'missing')::int), 0)::int "
            + "FROM security_events WHERE rule_id = 'journal.displaced'");
        var ledger = new FaultLedger(_db, Venue, _receiver);
        return Math.Max(0, await ledger.CountMissingAsync([.. _kept.Select(kept => kept.Check)], cancellationToken) - named);
    }

    private async Task SignalAsync(string signal, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", $"-{signal} {_worker!.Id}");
        await kill.WaitForExitAsync(cancellationToken);
    }

    private static async Task UntilAsync(Func<bool> isSo, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            if (atMost != Timeout.InfiniteTimeSpan && TimeProvider.System.GetElapsedTime(began) > atMost)
                throw new TimeoutException($"not within {atMost.TotalSeconds:0} s");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }
}
