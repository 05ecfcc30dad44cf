using System.Diagnostics;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Migrations;
using Npgsql;

namespace Monitoring.Benchmarks;

/// <summary>
/// A PostgreSQL of one's own with fsync on, from deploy/local/postgres.sh; it can be crashed and started again.
/// It ends with this process.
/// </summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    private readonly Process _script;

    private PrivatePostgres(Process script, string url) => (_script, Connection) = (script, DatabaseUrl.Parse(url));

    /// <summary>How to connect, with the password.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; }

    /// <summary>Makes a cluster in a folder that is removed at the end, and migrates its database.</summary>
    public static async Task<PrivatePostgres> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("bash")
        {
            ArgumentList = { Repository.File("deploy/local/postgres.sh"), "serve", folder, "--control" },
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment.Remove("DATABASE_URL"); // it must be one that can be crashed
        start.Environment.Remove("DATABASE_URL_FILE");
        var script = Process.Start(start)!;
        var line = await script.StandardOutput.ReadLineAsync(cancellationToken);
        if (line?.StartsWith("DATABASE_URL=", StringComparison.Ordinal) != true)
            throw new InvalidOperationException("deploy/local/postgres.sh gave no PostgreSQL; its message is above");
        var postgres = new PrivatePostgres(script, line["DATABASE_URL=".Length..]);
        await using var db = postgres.Open();
        await MigrateAsync(db, postgres.Connection, cancellationToken);
        return postgres;
    }

    /// <summary>
    /// A data source for this server's database, or for another of its databases; without a pool for whoever crashes the server.
    /// </summary>
    public NpgsqlDataSource Open(string? database = null, bool pooling = true) => DataSources.Create(
        new NpgsqlConnectionStringBuilder(Connection.ConnectionString)
        {
            Database = database ?? Connection.Database, MaxPoolSize = 20, Timeout = 15, Pooling = pooling,
        });

    /// <summary>Another database of this server, with the newest schema.</summary>
    public async Task<NpgsqlDataSource> CreateDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await using (var admin = Open())
        await using (var create = admin.CreateCommand($"CREATE DATABASE {name}"))
            await create.ExecuteNonQueryAsync(cancellationToken);
        var db = Open(name);
        await MigrateAsync(db, new NpgsqlConnectionStringBuilder(Connection.ConnectionString) { Database = name }, cancellationToken);
        return db;
    }

    /// <summary>pg_ctl stop -m immediate: as if the server had been killed.</summary>
    public Task CrashAsync(CancellationToken cancellationToken) => TellAsync("stop", "stopped", cancellationToken);

    /// <summary>Starts it again after a crash, on the same port.</summary>
    public Task RestartAsync(CancellationToken cancellationToken) => TellAsync("start", "started", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _script.StandardInput.Close(); // it stops when its input ends, however this process ends
        await _script.WaitForExitAsync();
        _script.Dispose();
    }

    private async Task TellAsync(string order, string answer, CancellationToken cancellationToken)
    {
        await _script.StandardInput.WriteLineAsync(order.AsMemory(), cancellationToken);
        await _script.StandardInput.FlushAsync(cancellationToken);
        if (await _script.StandardOutput.ReadLineAsync(cancellationToken) is var said && said != answer)
            throw new InvalidOperationException($"deploy/local/postgres.sh said '{said}' where '{answer}' was due");
    }

    private static async Task MigrateAsync(
        NpgsqlDataSource db, NpgsqlConnectionStringBuilder connection, CancellationToken cancellationToken)
    {
        var errors = new StringWriter();
        var commands = new SchemaCommands(new SchemaRunner(connection), new SchemaHistory(db), TextWriter.Null, errors);
        if (await commands.UpAsync(cancellationToken) != ExitCode.Done)
            throw new InvalidOperationException($"the migrations failed: {errors}");
    }
}
