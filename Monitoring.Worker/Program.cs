using System.CommandLine;
using Monitoring.Data.Configuration;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Operating;
using Monitoring.Worker.Recording.Journalling;
using Monitoring.Worker.Subjects;

PrivateFiles.MakeOnlyPrivateOnes();
var settingOptions = WorkerSubjects.All.SelectMany(subject => subject.Options).Select(setting => (setting.Setting,
    Option: setting.Create())).ToList();
var noDatabase = new Option<bool>("--no-database") { Description = "Monitor and notify without storing anything." };
var check = new Option<bool>("--check")
{
    Description = "Validate the configuration and try every connection, say what is wrong, and exit with 0 or 1.",
};

var root = new RootCommand("Watches DeFi markets and protocols, records what it saw and decided in PostgreSQL, and notifies people. "
    + "Configured by appsettings.json, the environment and these options; docs/configuration.md lists every setting, docs/rules.md "
    + "every rule.")
{
    noDatabase, check, KeyCommands.Create(), AuditCommands.Create(), EventCommands.Create(), NotifyCommands.Create(),
    JournalCommand.Create(() => ReadConfiguration([])),
};
foreach (var command in WorkerSubjects.All.SelectMany(subject => subject.Commands))
    root.Add(command);
foreach (var (_, option) in settingOptions)
    root.Add(option);
root.SetAction(async (parsed, cancellationToken) =>
{
    var overrides = new Dictionary<string, string?>();
    foreach (var (setting, option) in settingOptions)
        if (parsed.GetValue(option) is { } value)
            overrides[setting] = value;
    try
    {
        var options = WorkerOptions.Read(new SettingsReader(ReadConfiguration(overrides)), parsed.GetValue(noDatabase));
        if (parsed.GetValue(check))
            return await ConfigurationCheck.RunAsync(options, TimeProvider.System, Console.Out, cancellationToken);

        using var host = WorkerHost.Build(options, TimeProvider.System);
        var end = HostEnd.Of(host);
        await host.RunAsync(cancellationToken);
        return end.ExitCode;
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
    // the host ends by itself, within ten seconds
    return await parsedLine.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
foreach (var error in parsedLine.Errors)
    await Console.Error.WriteLineAsync(error.Message);
await Console.Error.WriteLineAsync("Monitoring.Worker --help lists the options");
return 2;

static IConfiguration ReadConfiguration(Dictionary<string, string?> overrides) => new ConfigurationBuilder()
    .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
    .AddEnvironmentVariables()
    .AddInMemoryCollection(overrides)
    .Build();
