using System.Collections.Concurrent;
using System.Reflection;
using System.Threading.Channels;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Migrations;
using Npgsql;

[assembly: Parallelizable(ParallelScope.All)]
[assembly: LevelOfParallelism(4)] // most of them wait for something most of the time
[assembly: FixtureLifeCycle(LifeCycle.InstancePerTestCase)]

namespace Monitoring.Tests;

/// <summary>
/// A real PostgreSQL for all tests (<see cref="TestServer"/>). Every test gets a clone of a migrated template; a few are made ahead, and
/// those that are no longer needed are dropped while the next tests run.
/// </summary>
[SetUpFixture]
public sealed class TestDatabase
{
    private const int Ahead = 4;
    private static readonly SemaphoreSlim Cloning = new(1);
    private static readonly Channel<string> Clones = Channel.CreateBounded<string>(Ahead);
    private static readonly ConcurrentDictionary<string, Task> Drops = [];
    private static readonly CancellationTokenSource Ending = new();
    private static Task _making = Task.CompletedTask;
    private static readonly string Template = $"monitoring_test_{Environment.ProcessId}";
    private static int _clones;
    private static TestServer _owned = null!;
    private static NpgsqlConnectionStringBuilder _server = null!;
    private static NpgsqlDataSource _admin = null!;

    [OneTimeSetUp]
    public static async Task StartAsync()
    {
        _owned = await TestServer.StartAsync();
        _server = DatabaseUrl.Parse(_owned.Url);
        _admin = DataSources.Create(_server);
        await ExecuteAsync($"CREATE DATABASE {Template}");
        await using var db = Open(Template);
        await Commands(db).UpAsync(default);
        NpgsqlConnection.ClearAllPools();
        _making = MakeClonesAsync();
    }

    [OneTimeTearDown]
    public static async Task StopAsync()
    {
        await Ending.CancelAsync();
        await _making;
        while (Clones.Reader.TryRead(out var unused))
            await ExecuteAsync($"DROP DATABASE {unused}");
        await Task.WhenAll(Drops.Values);
        await ExecuteAsync($"DROP DATABASE {Template} WITH (FORCE)");
        await _admin.DisposeAsync();
        await _owned.DisposeAsync();
    }

    /// <summary>A database of its own with the newest schema.</summary>
    public static async Task<NpgsqlDataSource> CloneAsync() => Open(await Clones.Reader.ReadAsync());

    /// <summary>A database of its own without any table.</summary>
    public static async Task<NpgsqlDataSource> CreateEmptyAsync() => Open(await CreateAsync("TEMPLATE template0"));

    /// <summary>Drops what <see cref="CloneAsync"/> made, whoever is still connected; soon, and nobody waits for it.</summary>
    public static async Task DropAsync(NpgsqlDataSource db)
    {
        var name = new NpgsqlConnectionStringBuilder(db.ConnectionString).Database!;
        await db.DisposeAsync();
        Drops[name] = ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");
    }

    /// <summary>
    /// Ends when nothing is made or dropped any more: for a test that a commit or a session of another database disturbs.
    /// </summary>
    public static async Task UntilQuietAsync()
    {
        await Task.WhenAll(Drops.Values);
        await TestWait.UntilAsync(() => Clones.Reader.Count == Ahead, "the clones are made");
    }

    /// <summary>The connection string of a clone, with its password.</summary>
    public static NpgsqlConnectionStringBuilder ConnectionTo(NpgsqlDataSource db) =>
        new(_server.ConnectionString) { Database = new NpgsqlConnectionStringBuilder(db.ConnectionString).Database };

    /// <summary>A runner of the migrations on a clone.</summary>
    public static SchemaRunner Runner(NpgsqlDataSource db, params IEnumerable<Assembly> more) => new(ConnectionTo(db), more);

    /// <summary>The migrations' commands; their output is thrown away.</summary>
    public static SchemaCommands Commands(NpgsqlDataSource db, params IEnumerable<Assembly> more) =>
        new(Runner(db, more), new SchemaHistory(db), TextWriter.Null, TextWriter.Null);

    /// <summary>Runs one statement on the server, outside of any test's database.</summary>
    public static async Task ExecuteAsync(string sql)
    {
        await Cloning.WaitAsync();
        try
        {
            await using var command = _admin.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
        finally
        {
            Cloning.Release();
        }
    }

    private static async Task<string> CreateAsync(string how)
    {
        var name = $"{Template}_{Interlocked.Increment(ref _clones)}";
        await ExecuteAsync($"CREATE DATABASE {name} {how}");
        return name;
    }

    private static async Task MakeClonesAsync()
    {
        try
        {
            while (await Clones.Writer.WaitToWriteAsync(Ending.Token))
                await Clones.Writer.WriteAsync(await CreateAsync($"TEMPLATE {Template} STRATEGY FILE_COPY"), Ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The tests are over.
        }
        catch (Exception fault)
        {
            Clones.Writer.Complete(fault); // whoever asks for one fails with it
        }
    }

    private static NpgsqlDataSource Open(string database) =>
        DataSources.Create(new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Database = database, MaxPoolSize = 20 });
}
