using System.CommandLine;
using Monitoring.Simulator.Info;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator;

/// <summary>serve: plays a scenario over HTTP until it is stopped.</summary>
internal static class ServeCommand
{
    private static readonly Option<string> ScenarioName = new("--scenario")
    {
        Description = "Name of a scenario, or path of its file",
        DefaultValueFactory = _ => "whale-liquidation",
    };

    private static readonly Option<int> Port = new("--port") { Description = "Port on 127.0.0.1; 0 takes a free one" };

    private static readonly Option<int> Delay =
        new("--delay") { Description = "Seconds until second 0 of the scenario; until then it is calm" };

    private static readonly Option<int> WeightLimit = new("--weight-limit")
    {
        Description =
            "Weight that the venue takes in a minute; a scenario that compresses an hour into a minute needs more than the real one",
        DefaultValueFactory = _ => WeightMeter.VenueLimit,
    };

    public static Command Create()
    {
        RequireRange(WeightLimit, 1_000_000);
        RequireRange(Port, 65_535);
        RequireRange(Delay, 3_600);
        var command = new Command("serve", "Plays a scenario") { ScenarioName, Port, Delay, WeightLimit };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetValue(ScenarioName)!, parsed.GetValue(Port), parsed.GetValue(Delay),
                parsed.GetValue(WeightLimit), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string name, int port, int delay, int weightLimit, CancellationToken cancellationToken)
    {
        try
        {
            var clock = TimeProvider.System;
            var scenario = ScenarioLoader.Load(name);
            await using var app = SimulatorApp.Build(
                new(scenario) { Port = port, Clock = clock, Start = clock.GetUtcNow().AddSeconds(delay), WeightLimit = weightLimit });
            await app.StartAsync(cancellationToken);
            Console.WriteLine($"Simulator listening on {app.Urls.First()} (scenario {scenario.Name}, {scenario.DurationSeconds} s)");
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
        catch (Exception e) when (e is ScenarioException or IOException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static void RequireRange(Option<int> option, int most) => option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int>() is var value && (value < 0 || value > most))
            result.AddError($"{option.Name} takes 0 to {most}");
    });
}
