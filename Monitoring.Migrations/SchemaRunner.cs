using System.Reflection;
using FluentMigrator;
using FluentMigrator.Infrastructure;
using FluentMigrator.Runner;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Monitoring.Migrations;

/// <summary>
/// Runs single migrations with FluentMigrator, each in a transaction of its own. The caller holds the lock and knows what is applied.
/// </summary>
public sealed class SchemaRunner
{
    private readonly string _connectionString;
    private readonly Assembly[] _assemblies;
    private readonly SortedList<long, IMigrationInfo> _migrations;

    /// <summary>Takes this program's migrations, and those of further assemblies.</summary>
    public SchemaRunner(NpgsqlConnectionStringBuilder connection, params IEnumerable<Assembly> more)
    {
        // Several hosts: only the primary one takes a change of the schema.
        _connectionString = new NpgsqlConnectionStringBuilder(connection.ConnectionString)
        {
            Pooling = false,
            TargetSessionAttributes = connection.Host?.Contains(',') == true ? connection.TargetSessionAttributes ?? "primary" : null,
        }.ConnectionString;
        _assemblies = [typeof(SchemaRunner).Assembly, .. more];
        using var services = Build(onSql: null);
        _migrations = new SortedList<long, IMigrationInfo>(services.GetRequiredService<IMigrationInformationLoader>().LoadMigrations()
            .ToDictionary(m => m.Key, m => (IMigrationInfo)OwnSchemaMigration.Of(m.Value)));
    }

    /// <summary>Every migration that this program knows: version and description, in order.</summary>
    public IReadOnlyDictionary<long, string> Migrations =>
        new SortedDictionary<long, string>(_migrations.ToDictionary(m => m.Key, m => m.Value.Description ?? m.Value.GetName()));

    /// <summary>Applies one pending migration and writes its version; or throws and changes nothing.</summary>
    public void Apply(long version)
    {
        using var services = Build(onSql: null);
        Apply(services, _migrations[version]);
    }

    /// <summary>Takes one applied migration back and removes its version; or throws and changes nothing.</summary>
    public void Revert(long version)
    {
        using var services = Build(onSql: null);
        Runner(services).ApplyMigrationDown(_migrations[version], InTransaction(_migrations[version]));
    }

    /// <summary>Writes the SQL that applying the pending migrations would run, and changes nothing.</summary>
    public void WriteScript(IReadOnlyList<long> pending, TextWriter output)
    {
        using var services = Build(onSql: sql => output.WriteLine(sql.TrimEnd().TrimEnd(';') + ";"));
        Runner(services).LoadVersionInfoIfRequired();
        foreach (var migration in pending.Select(version => _migrations[version]))
        {
            output.WriteLine($"\n-- {migration.Version}: {migration.Description}");
            output.Write(InTransaction(migration) ? "BEGIN;\n" : "");
            Apply(services, migration);
            output.Write(InTransaction(migration) ? "COMMIT;\n" : "");
        }
    }

    private static void Apply(ServiceProvider services, IMigrationInfo migration) =>
        Runner(services).ApplyMigrationUp(migration, InTransaction(migration));

    private static bool InTransaction(IMigrationInfo migration) => migration.TransactionBehavior == TransactionBehavior.Default;

    private static MigrationRunner Runner(ServiceProvider services) => (MigrationRunner)services.GetRequiredService<IMigrationRunner>();

    /// <summary>FluentMigrator for one use. With <paramref name="onSql"/> it runs no statement but gives each of them there.</summary>
    private ServiceProvider Build(Action<string>? onSql) => new ServiceCollection()
        .AddFluentMigratorCore()
        .ConfigureRunner(runner => runner
            .AddPostgres()
            .WithGlobalConnectionString(_connectionString)
            .WithGlobalCommandTimeout(TimeSpan.Zero)
            .ConfigureGlobalProcessorOptions(options =>
            {
                options.PreviewOnly = onSql is not null;
                options.StripComments = false; // the bodies of functions keep theirs
            })
            .ScanIn(_assemblies).For.Migrations())
        .AddLogging(logging =>
        {
            if (onSql is not null)
                logging.AddProvider(new SqlLog(onSql));
        })
        .BuildServiceProvider();

    /// <summary>Takes the statements out of what FluentMigrator logs.</summary>
    private sealed class SqlLog(Action<string> onSql) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId == RunnerEventIds.Sql)
                onSql(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
