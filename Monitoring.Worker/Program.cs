using System.CommandLine;
using Monitoring.Data.Configuration;
using Monitoring.Worker.Hosting;

var hlpInterval = new Option<string?>("--hlp-interval") { Description = "Seconds between checks of the HLP vault, 1–86400 (HLP_CHECK_INTERVAL, default 300).", HelpName = "S" };
var noDatabase = new Option<bool>("--no-database") { Description = "Monitor and notify without storing anything." };
var check = new Option<bool>("--check") { Description = "Validate the configuration and try every connection, say what is wrong, and exit with 0 or 1." };

var root = new RootCommand("Watches a DeFi venue, records what it saw and decided in PostgreSQL, and tells people. "
    + "Configured by appsettings.json, the environment and these options; docs/configuration.md lists every setting.")
{
    hlpInterval, noDatabase, check,
};
root.SetAction(async (parsed, cancellationToken) =>
{
    var overrides = new Dictionary<string, string?>();
    if (parsed.GetValue(hlpInterval) is { } interval)
        overrides["HLP_CHECK_INTERVAL"] = interval;
    var configuration = new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
        .AddEnvironmentVariables()
        .AddInMemoryCollection(overrides)
        .Build();
    try
    {
        var options = WorkerOptions.Read(new SettingsReader(configuration), parsed.GetValue(noDatabase));
        if (parsed.GetValue(check))
            return await ConfigurationCheck.RunAsync(options, TimeProvider.System, Console.Out, cancellationToken);

        using var host = WorkerHost.Build(options, TimeProvider.System);
        await host.RunAsync(cancellationToken);
        return 0;
    }
    catch (ConfigurationFaultException faults)
    {
        foreach (var fault in faults.Faults)
            await Console.Error.WriteLineAsync(fault);
        return 1;
    }
});

var parsedLine = root.Parse(args);
if (parsedLine.Errors.Count == 0)
    return await parsedLine.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }); // the host ends by itself, within ten seconds
foreach (var error in parsedLine.Errors)
    await Console.Error.WriteLineAsync(error.Message);
await Console.Error.WriteLineAsync("Monitoring.Worker --help lists the options");
return 2;
