using System.CommandLine;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Npgsql;

namespace Monitoring.Worker.Operating;

/// <summary>The commands for operators: each asks the database once and ends. Exit codes: 0 done, 1 not done, 2 usage.</summary>
internal static class OperatorCommands
{
    private const int MaxActorLength = 64; // what the database takes

    /// <summary>Who is recorded as the one who did it.</summary>
    public static Option<string> ActorOption() => Checked(
        new Option<string>("--as")
        {
            Description = "Who is recorded as having done it (default: the account that runs this).", HelpName = "NAME",
            DefaultValueFactory = _ => Environment.UserName,
        }, text => IsLine(text, MaxActorLength) ? null : $"--as takes a name of 1 to {MaxActorLength} characters in one line");

    /// <summary>Whoever runs this command.</summary>
    public static Operator By(ParseResult parsed, Option<string> actor) =>
        new(parsed.GetValue(actor)!.Trim(), $"command line on {Environment.MachineName}");

    /// <summary>A command that needs the database.</summary>
    public static Command Define(string name, string description,
        Func<ParseResult, IServiceProvider, CancellationToken, Task<int>> run, params IEnumerable<Symbol> symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
            if (symbol is Option option)
                command.Add(option);
            else
                command.Add((Argument)symbol);
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, run, cancellationToken));
        return command;
    }

    /// <summary>Adds a check whose fault is a usage fault.</summary>
    public static Option<string> Checked(Option<string> option, Func<string, string?> findProblem)
    {
        option.Validators.Add(result =>
        {
            if (findProblem(result.GetValueOrDefault<string>() ?? "") is { } problem)
                result.AddError(problem);
        });
        return option;
    }

    /// <summary>Text without line breaks and other control characters, and not too long.</summary>
    public static bool IsLine(string text, int maxLength) =>
        text.Trim().Length is > 0 && text.Length <= maxLength && !text.Any(char.IsControl);

    private static async Task<int> RunAsync(
        ParseResult parsed, Func<ParseResult, IServiceProvider, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            var settings = new SettingsReader(new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true).AddEnvironmentVariables().Build());
            var database = DatabaseOptions.Read(settings, "Monitoring.Worker");
            if (database.Connection is null && !settings.HasFault("DATABASE_URL"))
                settings.Refuse("DATABASE_URL", $"is not set; it must be {DatabaseUrl.Form}");
            settings.Finish(DatabaseOptions.Section);

            await using var services = new ServiceCollection().AddMonitoringData(database)
                .AddSingleton(TimeProvider.System).BuildServiceProvider();
            return await run(parsed, services, cancellationToken);
        }
        catch (ConfigurationFaultException faults)
        {
            foreach (var fault in faults.Faults)
                await Console.Error.WriteLineAsync(fault);
            return 1;
        }
        catch (Exception fault) when (fault is UnreadableRowException
            || DatabaseFaults.Find(fault) is PostgresException { SqlState: PostgresErrorCodes.InvalidParameterValue })
        {
            await Console.Error.WriteLineAsync(DatabaseFaults.Describe(fault));
            return 1;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            var schema = DatabaseFaults.Find(fault) is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable
                or PostgresErrorCodes.UndefinedFunction } ? "; run Monitoring.Migrations up" : "";
            await Console.Error.WriteLineAsync($"the database cannot be used: {DatabaseFaults.Describe(fault)}{schema}");
            return 1;
        }
    }
}
