using System.CommandLine;
using Monitoring.Data.Configuration;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Operating;
using Monitoring.Worker.Recording.Journalling;

(Option<string?> Option, string Name)[] intervals =
[
    Interval("--hlp-interval", "HLP_CHECK_INTERVAL", "the HLP vault", 300),
    Interval("--oracle-interval", "ORACLE_CHECK_INTERVAL", "the oracle prices", 60),
    Interval("--liquidation-interval", "LIQUIDATION_CHECK_INTERVAL", "liquidations", 180),
    Interval("--inventory-interval", "INVENTORY_CHECK_INTERVAL", "the component vaults' positions", 10),
];
var noDatabase = new Option<bool>("--no-database") { Description = "Monitor and notify without storing anything." };
var check = new Option<bool>("--check") { Description = "Validate the configuration and try every connection, say what is wrong, and exit with 0 or 1." };

var root = new RootCommand("Watches a DeFi venue, records what it saw and decided in PostgreSQL, and tells people. "
    + "Configured by appsettings.json, the environment and these options; docs/configuration.md lists every setting.")
{
    noDatabase, check, KeyCommands.Create(), AuditCommands.Create(), EventCommands.Create(), NotifyCommands.Create(),
    JournalCommand.Create(() => ReadConfiguration([])),
};
foreach (var (option, _) in intervals)
    root.Add(option);
root.SetAction(async (parsed, cancellationToken) =>
{
    var overrides = new Dictionary<string, string?>();
    foreach (var (option, name) in intervals)
        if (parsed.GetValue(option) is { } seconds)
            overrides[name] = seconds;
    try
    {
        var options = WorkerOptions.Read(new SettingsReader(ReadConfiguration(overrides)), parsed.GetValue(noDatabase));
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
    catch (JournalInUseException inUse)
    {
        await Console.Error.WriteLineAsync($"JOURNAL_PATH: {inUse.Message}");
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

static IConfiguration ReadConfiguration(Dictionary<string, string?> overrides) => new ConfigurationBuilder()
    .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
    .AddEnvironmentVariables()
    .AddInMemoryCollection(overrides)
    .Build();

static (Option<string?> Option, string Name) Interval(string option, string name, string what, int seconds) =>
    (new Option<string?>(option) { Description = $"Seconds between checks of {what}, 1–86400 ({name}, default {seconds}).", HelpName = "S" }, name);
