using System.Reflection;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Migrations;
using Npgsql;

[assembly: Parallelizable(ParallelScope.All)]
[assembly: FixtureLifeCycle(LifeCycle.InstancePerTestCase)]

namespace Monitoring.Tests;

/// <summary>A real PostgreSQL for all tests (<see cref="TestServer"/>). Every test gets a clone of a migrated template.</summary>
[SetUpFixture]
public sealed class TestDatabase
{
    private static readonly SemaphoreSlim Cloning = new(1);
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
    }

    [OneTimeTearDown]
    public static async Task StopAsync()
    {
        await ExecuteAsync($"DROP DATABASE {Template} WITH (FORCE)");
        await _admin.DisposeAsync();
        await _owned.DisposeAsync();
    }

    /// <summary>A database of its own with the newest schema.</summary>
    public static Task<NpgsqlDataSource> CloneAsync() => CreateAsync($"TEMPLATE {Template} STRATEGY FILE_COPY");

    /// <summary>A database of its own without any table.</summary>
    public static Task<NpgsqlDataSource> CreateEmptyAsync() => CreateAsync("TEMPLATE template0");

    /// <summary>Drops what <see cref="CloneAsync"/> made, whoever is still connected.</summary>
    public static async Task DropAsync(NpgsqlDataSource db)
    {
        var name = new NpgsqlConnectionStringBuilder(db.ConnectionString).Database;
        await db.DisposeAsync();
        await ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");
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

    private static async Task<NpgsqlDataSource> CreateAsync(string how)
    {
        var name = $"{Template}_{Interlocked.Increment(ref _clones)}";
        await ExecuteAsync($"CREATE DATABASE {name} {how}");
        return Open(name);
    }

    private static NpgsqlDataSource Open(string database) =>
        DataSources.Create(new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Database = database, MaxPoolSize = 20 });
}
