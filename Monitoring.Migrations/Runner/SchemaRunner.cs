using System.Reflection;
using FluentMigrator;
using Npgsql;

namespace Monitoring.Migrations.Runner;

/// <summary>The stand-in for FluentMigrator's runner: the same migrations, the same <c>"VersionInfo"</c>, one transaction per migration.</summary>
public sealed class SchemaRunner : ISchemaRunner
{
    private const string CreateVersionInfoSql = """
        CREATE TABLE IF NOT EXISTS "VersionInfo" ("Version" bigint NOT NULL, "AppliedOn" timestamp, "Description" varchar(1024));
        CREATE UNIQUE INDEX IF NOT EXISTS "UC_Version" ON "VersionInfo" ("Version");
        """;

    private const string AddVersionSql = """
        INSERT INTO "VersionInfo" ("Version", "AppliedOn", "Description") VALUES ($1, now() AT TIME ZONE 'UTC', $2)
        """;

    private const string RemoveVersionSql = """
        DELETE FROM "VersionInfo" WHERE "Version" = $1
        """;

    private readonly NpgsqlDataSource _db;
    private readonly SortedDictionary<long, (string Description, Type Type)> _migrations = [];

    /// <summary>Takes the migrations among these types.</summary>
    public SchemaRunner(NpgsqlDataSource db, params IEnumerable<Type> types)
    {
        _db = db;
        foreach (var type in types)
            if (type.GetCustomAttribute<MigrationAttribute>() is { } attribute && !_migrations.TryAdd(attribute.Version, (attribute.Description, type)))
                throw new InvalidOperationException($"{type.Name} and {_migrations[attribute.Version].Type.Name} both have version {attribute.Version}");
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<long, string> Migrations => new SortedDictionary<long, string>(_migrations.ToDictionary(m => m.Key, m => m.Value.Description));

    /// <inheritdoc/>
    public void Apply(long version) => Run(UpStatements(version), AddVersionSql, version, _migrations[version].Description);

    /// <inheritdoc/>
    public void Revert(long version)
    {
        var migration = Create(version);
        migration.Down();
        Run(migration.Execute.Statements, RemoveVersionSql, version);
    }

    /// <inheritdoc/>
    public void WriteScript(IReadOnlyList<long> pending, TextWriter output)
    {
        output.WriteLine(CreateVersionInfoSql);
        foreach (var version in pending)
        {
            output.WriteLine($"\n-- {version}: {_migrations[version].Description}\nBEGIN;");
            foreach (var statement in UpStatements(version))
                output.WriteLine(statement.TrimEnd().TrimEnd(';') + ";");
            output.WriteLine(AddVersionSql.Replace("$1", $"{version}").Replace("$2", $"'{_migrations[version].Description.Replace("'", "''")}'") + ";\nCOMMIT;");
        }
    }

    private IList<string> UpStatements(long version)
    {
        var migration = Create(version);
        migration.Up();
        return migration.Execute.Statements;
    }

    private Migration Create(long version) => (Migration)Activator.CreateInstance(_migrations[version].Type)!;

    private void Run(IEnumerable<string> statements, string versionSql, params object[] versionParameters)
    {
        using var connection = _db.OpenConnection();
        using var transaction = connection.BeginTransaction();
        foreach (var sql in statements.Prepend(CreateVersionInfoSql))
        {
            using var command = new NpgsqlCommand(sql, connection, transaction) { CommandTimeout = 0 };
            command.ExecuteNonQuery();
        }

        using var versionCommand = new NpgsqlCommand(versionSql, connection, transaction);
        foreach (var parameter in versionParameters)
            versionCommand.Parameters.Add(new NpgsqlParameter { Value = parameter });
        versionCommand.ExecuteNonQuery();
        transaction.Commit();
    }
}
