using System.CommandLine;

namespace Monitoring.Simulator;

/// <summary>The command line: serve a scenario, or watch what becomes of it.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) =>
        new RootCommand("A stand-in for the Hyperliquid venue, and a watch over what a monitor makes of it.")
        {
            ServeCommand.Create(),
            WatchCommand.Create(),
        }.Parse(args).InvokeAsync();
}
