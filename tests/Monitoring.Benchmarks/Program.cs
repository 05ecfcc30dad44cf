using System.CommandLine;
using Monitoring.Benchmarks.Faults;

namespace Monitoring.Benchmarks;

/// <summary>The command line of ./bench: one command per benchmark, and without a name all that need no arguments and little time.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => Commands().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });

    private static RootCommand Commands() => new("Measures this checkout on this machine. Exit code 1 when a target is missed. Results are kept in artifacts/bench.")
    {
        FaultsCommand(),
    };

    private static Command FaultsCommand()
    {
        var kills = Count("--kills", 10, "Times that the worker is killed (kill -9) and started again");
        var stops = Count("--stops", 6, "Times that PostgreSQL is crashed (pg_ctl stop -m immediate) and started again");
        var cuts = Count("--cuts", 5, "Times that the connection to PostgreSQL is reset, most of them at a COMMIT");
        var seed = new Option<int?>("--seed") { Description = "Draws the same moments again" };
        var command = new Command("faults", "The real worker while everything dies around it: what was observed and not stored, decided and not delivered?") { kills, stops, cuts, seed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new FaultOptions(parsed.GetValue(kills), parsed.GetValue(stops), parsed.GetValue(cuts), parsed.GetValue(seed) ?? Random.Shared.Next(1, 1_000_000), Wide: true);
            var report = await FaultRun.RunAsync(options, Console.Out, cancellationToken);
            report.Print(Console.Out);
            Results.Keep("faults", report);
            return report.IsClean ? 0 : 1;
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
