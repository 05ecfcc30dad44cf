using System.CommandLine;
using Monitoring.Simulator.Watching;

namespace Monitoring.Simulator;

/// <summary>watch: says what the product makes of the scenario, and with --once whether that was right.</summary>
internal static class WatchCommand
{
    private static readonly Option<string?> Simulator =
        new("--simulator") { Description = "Address of the simulator; without it there is no scenario to judge by" };

    private static readonly Option<string> Api = new("--api") { Description = "Address of the product's API", Required = true };

    private static readonly Option<bool> Once = new("--once")
    {
        Description = "End with the scenario: print a report, exit 0 only if all is as expected",
    };

    public static Command Create()
    {
        RequireHttp(Simulator);
        RequireHttp(Api);
        var command = new Command("watch", "Prints the events that the product raises") { Simulator, Api, Once };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Once) && result.GetValue(Simulator) is null)
                result.AddError("--once needs --simulator: without a scenario there is no end and nothing to judge");
        });
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetValue(Simulator) is { } simulator ? new(simulator) : null, new(parsed.GetValue(Api)!),
                parsed.GetValue(Once), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Uri? simulator, Uri api, bool once, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(5) };
        var watch = new Watch(simulator is null ? null : new(http, simulator), new(http, api), TimeProvider.System, Console.Out);
        try
        {
            return await watch.RunAsync(once, cancellationToken) ? 0 : 1;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return once ? 1 : 0;
        }
        catch (UnreachableException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static void RequireHttp(Option option) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && !(Uri.TryCreate(token.Value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            result.AddError($"{option.Name} takes an address such as http://127.0.0.1:8000");
    });
}
