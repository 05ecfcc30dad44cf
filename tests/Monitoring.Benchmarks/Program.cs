using System.CommandLine;
using Monitoring.Benchmarks.Delivery;
using Monitoring.Benchmarks.Faults;
using Monitoring.Benchmarks.Load;
using Monitoring.Benchmarks.Memory;
using Monitoring.Benchmarks.Speed;

namespace Monitoring.Benchmarks;

/// <summary>
/// The command line of ./bench: one command per benchmark, and without a name all that need no arguments and little time.
/// </summary>
internal static class Program
{
    private static Task<int> Main(string[] args) =>
        Commands().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });

    private static readonly Option<int> Millions = new("--millions")
    {
        Description = "Rows of the large history, in millions (10)", DefaultValueFactory = _ => 10,
    };

    private static RootCommand Commands()
    {
        Command recording = Bench(RecordingBench.Name, "Recording a check against a raw COPY of its rows",
            (_, postgres, token) => RecordingBench.RunAsync(postgres, token));
        Command events = Bench(EventsBench.Name, "Seeing thousands of open events again",
            (_, postgres, token) => EventsBench.RunAsync(postgres, token));
        Command api = Bench(ApiBench.Name, "Reads of the API against a bare endpoint with a raw query",
            (_, postgres, token) => ApiBench.RunAsync(postgres, token));
        Command history = Bench(HistoryBench.Name, "Questions to a history of millions of rows against one of thousands",
            (parsed, postgres, token) => HistoryBench.RunAsync(postgres, parsed.GetValue(Millions), token));
        Command delivery = Bench(DeliveryBench.Name, "From the commit of a finding to the receipt of its webhook, over 1,000 events",
            (_, postgres, token) => DeliveryBench.RunAsync(postgres, token));
        history.Add(Millions);
        var root = new RootCommand("Measures this checkout on this machine: without a name recording, events, api, history and delivery. "
            + "Exit code 1 when a target is missed. Results are kept in artifacts/bench.")
        {
            recording, events, api, history, delivery, MemoryCommand(), LoadCommand(), FaultsCommand(),
        };
        root.SetAction(async (_, cancellationToken) =>
        {
            var worst = 0;
            foreach (var command in (Command[])[recording, events, api, history, delivery])
                worst = Math.Max(worst, await root.Parse([command.Name]).InvokeAsync(cancellationToken: cancellationToken));
            return worst;
        });
        return root;
    }

    private static Command Bench(
        string name, string description, Func<ParseResult, PrivatePostgres, CancellationToken, Task<IReadOnlyList<Measure>>> run)
    {
        var command = new Command(name, description);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var postgres = await PrivatePostgres.StartAsync(
                Path.Combine(Results.Folder, $"postgres-{name}-{Environment.ProcessId}"), cancellationToken);
            return Results.Report(name, await run(parsed, postgres, cancellationToken), Console.Out) ? 0 : 1;
        });
        return command;
    }

    private static Command MemoryCommand()
    {
        var checks = new Option<int>("--checks")
        {
            Description = "Checks until the memory is judged (10000; five a second)", DefaultValueFactory = _ => 10_000,
        };
        var command = Bench(MemoryBench.Name, "What the worker holds of the memory after many checks, each monitor once a second",
            (parsed, postgres, token) => MemoryBench.RunAsync(postgres, parsed.GetValue(checks), token));
        command.Add(checks);
        return command;
    }

    private static Command LoadCommand()
    {
        var seconds = new Option<int>("--seconds")
        {
            Description = "How long the crowd presses (20; 180 is the long form)", DefaultValueFactory = _ => 20,
        };
        var command = Bench(LoadBench.Name, "The read service while thousands of connections, slow senders and streams press on it",
            (parsed, postgres, token) => LoadBench.RunAsync(postgres, parsed.GetValue(seconds), token));
        command.Add(seconds);
        return command;
    }

    private static Command FaultsCommand()
    {
        var kills = Count("--kills", 10, "Times that the worker is killed (kill -9) and started again");
        var stops = Count("--stops", 6, "Times that PostgreSQL is crashed (pg_ctl stop -m immediate) and started again");
        var cuts = Count("--cuts", 5, "Times that the connection to PostgreSQL is reset, most of them at a COMMIT");
        var freezes = Count("--freezes", 40, "Times that a worker is held still (SIGSTOP) for 5 to 90 s");
        var locks = Count("--locks", 25, "Times that a table is locked for 70 s, each in turn, or the server frozen for 45 s");
        var journals = Count("--journals", 10, "Times that a journal is broken, in ten ways in turn, before its worker is killed");
        var removals = Count("--removals", 2, "Times that the journal's folder is removed while PostgreSQL is away");
        var steps = Count("--steps", 2, "Times that the worker's clock is set wrong and back");
        var seed = new Option<int?>("--seed") { Description = "Draws the same moments again" };
        var command = new Command(
            "faults", "The real worker while everything dies around it: what was observed and not stored, decided and not delivered?")
        {
            kills, stops, cuts, removals, steps, freezes, locks, journals, seed,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new FaultOptions(parsed.GetValue(kills), parsed.GetValue(stops), parsed.GetValue(cuts),
                parsed.GetValue(seed) ?? Random.Shared.Next(1, 1_000_000), Wide: true)
            {
                Removals = parsed.GetValue(removals), Steps = parsed.GetValue(steps),
            };
            var isClean = true;
            if (options.Kills + options.Stops + options.Cuts + options.Removals + options.Steps > 0)
            {
                var report = await FaultRun.RunAsync(options, Console.Out, cancellationToken);
                report.Print(Console.Out);
                Results.Keep("faults", report);
                isClean = report.IsClean;
            }

            var pauses = new PauseOptions(parsed.GetValue(freezes), parsed.GetValue(locks),
                LongestFreeze: TimeSpan.FromSeconds(90), Lock: TimeSpan.FromSeconds(70), Workers: 8)
            {
                Journals = parsed.GetValue(journals),
            };
            if (pauses.Freezes + pauses.Locks + pauses.Journals > 0)
            {
                var report = await PauseRun.RunAsync(pauses, Console.Out, cancellationToken);
                report.Print(Console.Out);
                Results.Keep("pauses", report);
                isClean &= report.IsClean;
            }

            return isClean ? 0 : 1;
        });
        return command;
    }

    private static Option<int> Count(string name, int fallback, string description)
    {
        var option = new Option<int>(name) { Description = $"{description} ({fallback})", DefaultValueFactory = _ => fallback };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 1000)
                result.AddError($"{name} takes 0 to 1000");
        });
        return option;
    }
}
