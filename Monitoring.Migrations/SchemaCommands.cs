using System.Text.Json;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Migrations;

/// <summary>How a command ended; the numbers are the program's exit codes.</summary>
public enum ExitCode
{
    /// <summary>Done, or nothing to do.</summary>
    Done = 0,

    /// <summary>Failed; nothing is half-applied.</summary>
    Failed = 1,

    /// <summary>The command line or the configuration is wrong.</summary>
    Usage = 2,

    /// <summary>There are pending migrations (<c>status</c>).</summary>
    Pending = 3,
}

/// <summary>What each command does: decides which migrations to run, under the lock, and says what happened.</summary>
public sealed class SchemaCommands(SchemaRunner runner, SchemaHistory history, TextWriter output, TextWriter errors)
{
    /// <summary>Applies every pending migration.</summary>
    public Task<ExitCode> UpAsync(CancellationToken cancellationToken) => MoveAsync((_, _) => long.MaxValue, cancellationToken);

    /// <summary>Takes the newest migrations back.</summary>
    public Task<ExitCode> DownAsync(int steps, CancellationToken cancellationToken) =>
        MoveAsync((applied, _) => applied.Count > steps ? applied[^(steps + 1)] : 0, cancellationToken);

    /// <summary>Goes up or down until <paramref name="version"/> is the newest applied; 0 is an empty schema.</summary>
    public async Task<ExitCode> ToAsync(long version, CancellationToken cancellationToken)
    {
        if (version == 0 || runner.Migrations.ContainsKey(version))
            return await MoveAsync((_, _) => version, cancellationToken);
        await errors.WriteLineAsync($"there is no version {version}; known are 0, {string.Join(", ", runner.Migrations.Keys)}");
        return ExitCode.Usage;
    }

    /// <summary>Lists every migration and whether it is applied.</summary>
    public async Task<ExitCode> StatusAsync(bool json, CancellationToken cancellationToken)
    {
        var applied = (await history.ListAsync(cancellationToken)).ToDictionary(m => m.Version);
        var rows = runner.Migrations.Select(m => (Version: m.Key, Description: m.Value))
            .Concat(applied.Values.Where(m => !runner.Migrations.ContainsKey(m.Version))
                .Select(m => (m.Version, $"{m.Description} (not known to this program)")))
            .OrderBy(m => m.Version)
            .Select(m => new
            {
                version = m.Version, description = m.Item2, applied_at = applied.GetValueOrDefault(m.Version)?.AppliedOn,
                applied = applied.ContainsKey(m.Version),
            })
            .ToList();
        var pending = rows.Count(row => !row.applied);

        if (json)
            await output.WriteLineAsync(JsonSerializer.Serialize(new { pending, migrations = rows }));
        else
        {
            foreach (var row in rows)
                await output.WriteLineAsync($"{row.version}  "
                    + $"{(row.applied ? $"applied {row.applied_at:yyyy-MM-dd HH:mm:ss}Z" : "pending                      ")}  "
                    + $"{row.description}");
            await output.WriteLineAsync($"{pending} pending");
        }

        return pending > 0 ? ExitCode.Pending : ExitCode.Done;
    }

    /// <summary>Prints the SQL of every pending migration.</summary>
    public async Task<ExitCode> ScriptAsync(CancellationToken cancellationToken)
    {
        var applied = (await history.ListAsync(cancellationToken)).Select(m => m.Version).ToHashSet();
        runner.WriteScript([.. runner.Migrations.Keys.Where(version => !applied.Contains(version))], output);
        return ExitCode.Done;
    }

    private async Task<ExitCode> MoveAsync(
        Func<List<long>, IReadOnlyDictionary<long, string>, long> chooseTarget, CancellationToken cancellationToken)
    {
        if (await history.FindObstacleAsync(cancellationToken) is { } obstacle)
        {
            await errors.WriteLineAsync($"nothing was changed: {obstacle}");
            return ExitCode.Failed;
        }

        await using var held = await history.LockAsync(
            () => output.WriteLine("another run is migrating this database; waiting for it"), cancellationToken);
        var applied = (await history.ListAsync(cancellationToken)).Select(m => m.Version).ToList();
        var target = chooseTarget(applied, runner.Migrations);

        var undo = applied.Where(version => version > target).Reverse().ToList();
        if (undo.Find(version => !runner.Migrations.ContainsKey(version)) is var unknown and not 0)
        {
            await errors.WriteLineAsync(
                $"version {unknown} was applied by a newer program and only that one can take it back; nothing was changed");
            return ExitCode.Failed;
        }

        var todo = runner.Migrations.Keys.Where(version => version <= target && !applied.Contains(version)).ToList();
        foreach (var version in undo)
            Step("reverted", version, runner.Revert);
        foreach (var version in todo)
            Step("applied", version, runner.Apply);
        if (undo.Count + todo.Count == 0)
            await output.WriteLineAsync("nothing to do");
        return ExitCode.Done;
    }

    private void Step(string done, long version, Action<long> run)
    {
        try
        {
            run(version);
        }
        catch (Exception fault)
        {
            throw new MigrationFailedException(version, fault);
        }

        output.WriteLine($"{done} {version}  {runner.Migrations[version]}");
    }
}

/// <summary>A migration failed and was rolled back; the schema is whole at the version before it.</summary>
public sealed class MigrationFailedException(long version, Exception cause)
    : Exception($"migration {version} failed and was rolled back, the schema stays at the version before it: {Reason(cause)}", cause)
{
    // FluentMigrator's own message repeats the whole statement; what the database said of it is one line.
    private static string Reason(Exception cause)
    {
        for (var fault = cause; fault is not null; fault = fault.InnerException)
            if (fault is NpgsqlException)
                return DatabaseFaults.Describe(fault);
        return cause.Message;
    }
}
