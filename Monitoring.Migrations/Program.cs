using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Migrations;

var steps = new Option<int>("--steps") { Description = "How many of the newest migrations to take back.", DefaultValueFactory = _ => 1 };
steps.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1)
        result.AddError("--steps must be a whole number from 1 up");
});
var json = new Option<bool>("--json") { Description = "Print one JSON object instead of a table." };
var version = new Argument<long>("version") { Description = "A migration's version, or 0 for an empty schema." };

var root = new RootCommand("Owns the schema of the monitoring database. DATABASE_URL says which database. "
    + "Exit codes: 0 done or nothing to do, 1 failed (nothing half-applied), 2 usage, 3 pending migrations (status).")
{
    Define("up", "Apply every pending migration.", (_, schema, token) => schema.UpAsync(token)),
    Define("down", "Take the newest migration back, or several. Rows of the dropped tables are lost.",
        (parsed, schema, token) => schema.DownAsync(parsed.GetValue(steps), token), steps),
    Define("to", "Go up or down to one version.", (parsed, schema, token) => schema.ToAsync(parsed.GetValue(version), token), version),
    Define("status", "List the migrations and whether they are applied.",
        (parsed, schema, token) => schema.StatusAsync(parsed.GetValue(json), token), json),
    Define(
        "script", "Print the SQL of the pending migrations, to read or to run by hand.", (_, schema, token) => schema.ScriptAsync(token)),
};

var parsedLine = root.Parse(args);
if (parsedLine.Errors.Count == 0)
    return await parsedLine.InvokeAsync();
foreach (var error in parsedLine.Errors)
    await Console.Error.WriteLineAsync(error.Message);
await Console.Error.WriteLineAsync("Monitoring.Migrations --help lists the commands");
return (int)ExitCode.Usage;

static Command Define(
    string name, string description, Func<ParseResult, SchemaCommands, CancellationToken, Task<ExitCode>> run, params Symbol[] symbols)
{
    var command = new Command(name, description);
    foreach (var symbol in symbols)
        if (symbol is Option option)
            command.Add(option);
        else
            command.Add((Argument)symbol);
    command.SetAction(async (parsed, token) => (int)await RunAsync(parsed, run, token));
    return command;
}

static async Task<ExitCode> RunAsync(
    ParseResult parsed, Func<ParseResult, SchemaCommands, CancellationToken, Task<ExitCode>> run, CancellationToken cancellationToken)
{
    try
    {
        var settings = new SettingsReader(new ConfigurationBuilder().AddEnvironmentVariables().Build());
        var database = DatabaseOptions.Read(settings, "Monitoring.Migrations");
        if (database.Connection is null && !settings.HasFault("DATABASE_URL"))
            settings.Refuse("DATABASE_URL", $"is not set; it must be {DatabaseUrl.Form}");
        settings.Finish(DatabaseOptions.Section);

        var connection = database.Direct ?? database.Connection!;
        await using var db = DataSources.Create(connection, prepare: false);
        var commands = new SchemaCommands(new SchemaRunner(connection), new SchemaHistory(db), Console.Out, Console.Error);
        return await run(parsed, commands, cancellationToken);
    }
    catch (ConfigurationFaultException fault)
    {
        await Console.Error.WriteLineAsync(fault.Message);
        return ExitCode.Usage;
    }
    catch (MigrationFailedException fault)
    {
        await Console.Error.WriteLineAsync(fault.Message);
        return ExitCode.Failed;
    }
    catch (Exception fault) when (DatabaseFaults.Covers(fault))
    {
        await Console.Error.WriteLineAsync($"the database cannot be used: {DatabaseFaults.Describe(fault)}");
        return ExitCode.Failed;
    }
}
