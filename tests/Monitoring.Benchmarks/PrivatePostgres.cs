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
    private readonly string _folder;

    private PrivatePostgres(Process script, string folder, string url) =>
        (_script, _folder, Connection) = (script, folder, DatabaseUrl.Parse(url));

    /// <summary>How to connect, with the password.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; }

    /// <summary>Makes a cluster in a folder that is removed at the end, and migrates its database.</summary>
    public static Task<PrivatePostgres> StartAsync(string folder, CancellationToken cancellationToken) =>
        StartAsync(folder, isDurable: true, cancellationToken);

    /// <summary>As above; one that need not be durable has fsync off.</summary>
    public static async Task<PrivatePostgres> StartAsync(string folder, bool isDurable, CancellationToken cancellationToken)
    {
        var postgres = await ServeAsync(folder, isDurable ? ["--control"] : ["--control", "--no-fsync"], cancellationToken);
        await using var db = postgres.Open();
        await MigrateAsync(db, postgres.Connection, cancellationToken);
        return postgres;
    }

    /// <summary>A hot standby that follows this one, in a folder that is removed at the end; this one is away while it is made.</summary>
    public async Task<PrivatePostgres> StartStandbyAsync(string folder, CancellationToken cancellationToken)
    {
        await using (var db = Open(pooling: false))
        await using (var flush = db.CreateCommand("CHECKPOINT")) // what is committed may not be on disk yet where it need not be durable
            await flush.ExecuteNonQueryAsync(cancellationToken);
        await CrashAsync(cancellationToken); // its files must stand still while they are copied
        var standby = await ServeAsync(folder, ["--control", "--no-fsync", "--standby-of", _folder], cancellationToken);
        await RestartAsync(cancellationToken);
        return standby;
    }

    private static async Task<PrivatePostgres> ServeAsync(string folder, string[] options, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("bash")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var argument in (string[])[Repository.File("deploy/local/postgres.sh"), "serve", folder, .. options])
            start.ArgumentList.Add(argument);
        start.Environment.Remove("DATABASE_URL"); // it must be one that can be crashed
        start.Environment.Remove("DATABASE_URL_FILE");
        var script = Process.Start(start)!;
        var line = await script.StandardOutput.ReadLineAsync(cancellationToken);
        if (line?.StartsWith("DATABASE_URL=", StringComparison.Ordinal) != true)
            throw new InvalidOperationException("deploy/local/postgres.sh gave no PostgreSQL; its message is above");
        return new PrivatePostgres(script, folder, line["DATABASE_URL=".Length..]);
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
