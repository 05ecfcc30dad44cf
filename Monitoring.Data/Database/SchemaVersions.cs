using Dapper;
using Monitoring.Data.Subjects;

namespace Monitoring.Data.Database;

/// <summary>The newest migration of a database.</summary>
public sealed record SchemaVersion(long Version);

/// <summary>Which schema the code needs, and which one the database has.</summary>
public sealed class SchemaVersions(DatabaseConnections db)
{
    /// <summary>The schema that holds all tables and functions.</summary>
    public const string Schema = "public";

    /// <summary>The newest migration that the engine's own tables need.</summary>
    public const long Engine = 202611301200;

    /// <summary>The newest migration that anything in this code needs: the engine or a subject.</summary>
    public static long Required { get; } = Math.Max(Engine, DataSubjects.All.Max(subject => subject.SchemaVersion));

    private const string CurrentSql = """
        SELECT coalesce(max("Version"), 0) AS version
          FROM public."VersionInfo"
        """;

    private const string FindStateSql = """
        SELECT current_setting('server_encoding') AS encoding,
               to_regclass('public."VersionInfo"') IS NOT NULL AS has_schema,
               to_regclass('check_runs') IS NOT DISTINCT FROM to_regclass('public.check_runs') AS finds_tables,
               current_user::text AS account
        """;

    private const string IsReadOnlySql = """
        SELECT current_setting('transaction_read_only')::boolean
        """;

    private sealed record SchemaState(string Encoding, bool HasSchema, bool FindsTables, string Account);

    /// <summary>The newest migration applied, as one read among others; that batch fails on an empty database.</summary>
    public static BatchRows<SchemaVersion> Current(DatabaseBatch batch) => batch.Add<SchemaVersion>(CurrentSql);

    /// <summary>Null when the database can serve this code; else what is wrong and what to run.</summary>
    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        var state = await connection.QuerySingleAsync<SchemaState>(new(FindStateSql, cancellationToken: cancellationToken));
        if (FindProblemOf(state.Encoding) is { } problem)
            return problem;
        var current = state.HasSchema ? await connection.QuerySingleAsync<long>(new(CurrentSql, cancellationToken: cancellationToken)) : 0;
        if (current < Required)
            return $"the database's schema is at version {current}, this program needs {Required}: run Monitoring.Migrations up";
        return state.FindsTables ? null
            : $"the search_path of this session does not lead to the schema {Schema}: "
                + $"ALTER ROLE {state.Account} SET search_path = {Schema}";
    }

    /// <summary>As above, for a program that writes: null when it can.</summary>
    public async Task<string?> FindProblemOfWritingAsync(CancellationToken cancellationToken)
    {
        if (await FindProblemAsync(cancellationToken) is { } problem)
            return problem;
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<bool>(new(IsReadOnlySql, cancellationToken: cancellationToken)) ? ReadOnly : null;
    }

    /// <summary>What is wrong where nothing can be written, and what to do.</summary>
    public const string ReadOnly = "the database is read-only, a standby perhaps: DATABASE_URL must lead to the primary";

    /// <summary>Null where this encoding can hold every text; else what is wrong and what to do.</summary>
    public static string? FindProblemOf(string encoding) => encoding == "UTF8" ? null
        : $"the database's encoding is {encoding}, and only UTF8 holds every text: make a new one by "
            + "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and run Monitoring.Migrations up there";
}
