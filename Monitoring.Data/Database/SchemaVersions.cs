using Dapper;
using Monitoring.Data.Subjects;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>The newest migration of a database.</summary>
public sealed record SchemaVersion(long Version);

/// <summary>Which schema the code needs, and which one the database has.</summary>
public sealed class SchemaVersions(NpgsqlDataSource db)
{
    /// <summary>The newest migration that the engine's own tables need.</summary>
    public const long Engine = 202611291360;

    /// <summary>The newest migration that anything in this code needs: the engine or a subject.</summary>
    public static long Required { get; } = Math.Max(Engine, DataSubjects.All.Max(subject => subject.SchemaVersion));

    private const string ExistsSql = """
        SELECT to_regclass('"VersionInfo"') IS NOT NULL
        """;

    private const string CurrentSql = """
        SELECT coalesce(max("Version"), 0) AS version
          FROM "VersionInfo"
        """;

    /// <summary>The newest migration applied; 0 for an empty database.</summary>
    public async Task<long> CurrentAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<bool>(new(ExistsSql, cancellationToken: cancellationToken))
            ? await connection.QuerySingleAsync<long>(new(CurrentSql, cancellationToken: cancellationToken))
            : 0;
    }

    /// <summary>The newest migration applied, as one read among others; that batch fails on an empty database.</summary>
    public static BatchRows<SchemaVersion> Current(DatabaseBatch batch) => batch.Add<SchemaVersion>(CurrentSql);

    /// <summary>Null when the database can serve this code; else what is wrong and what to run.</summary>
    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        var current = await CurrentAsync(cancellationToken);
        return current >= Required ? null
            : $"the database's schema is at version {current}, this program needs {Required}: run Monitoring.Migrations up";
    }
}
