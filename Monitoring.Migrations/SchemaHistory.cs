using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Migrations;

/// <summary>A migration that the database has: its version, when it was applied (UTC) and its description.</summary>
public sealed record AppliedMigration(long Version, DateTime? AppliedOn, string? Description);

/// <summary>What <c>"VersionInfo"</c> says, and the lock that lets one run at a time change it.</summary>
public sealed class SchemaHistory(NpgsqlDataSource db)
{
    // Any fixed number; it only has to be the same in every run.
    private const long LockKey = 0x4d4f4e49544f52;
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(200);

    private const string ExistsSql = """
        SELECT to_regclass('public."VersionInfo"') IS NOT NULL
        """;

    private const string ListSql = """
        SELECT "Version", "AppliedOn", "Description" FROM public."VersionInfo" ORDER BY "Version"
        """;

    /// <summary>The applied migrations in order; empty for an empty database.</summary>
    public async Task<IReadOnlyList<AppliedMigration>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var exists = new NpgsqlCommand(ExistsSql, connection);
        if (!(bool)(await exists.ExecuteScalarAsync(cancellationToken))!)
            return [];

        var applied = new List<AppliedMigration>();
        await using var list = new NpgsqlCommand(ListSql, connection);
        await using var reader = await list.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            applied.Add(new AppliedMigration(reader.GetInt64(0),
                await reader.IsDBNullAsync(1, cancellationToken) ? null : DateTime.SpecifyKind(reader.GetDateTime(1), DateTimeKind.Utc),
                await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetString(2)));
        return applied;
    }

    private const string FindSurroundingsSql = """
        SELECT current_setting('server_encoding'), current_setting('transaction_read_only')::boolean, current_user::text,
               to_regnamespace('public') IS NOT NULL,
               coalesce(has_schema_privilege(to_regnamespace('public'), 'USAGE')
                        AND has_schema_privilege(to_regnamespace('public'), 'CREATE'), false),
               (SELECT CASE WHEN NOT pg_has_role(relowner, 'USAGE') THEN relowner::regrole::text END
                  FROM pg_class WHERE oid = to_regclass('public."VersionInfo"'))
        """;

    /// <summary>Null where the schema can be changed here; else what is in the way, and what to do about it.</summary>
    public async Task<string?> FindObstacleAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var ask = new NpgsqlCommand(FindSurroundingsSql, connection);
        await using var reader = await ask.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var account = reader.GetString(2);
        return SchemaVersions.FindProblemOf(reader.GetString(0))
            ?? (reader.GetBoolean(1) ? SchemaVersions.ReadOnly : null)
            ?? (!reader.GetBoolean(3) ? $"there is no schema public: CREATE SCHEMA public AUTHORIZATION {account}" : null)
            ?? (!reader.GetBoolean(4) ? $"the account {account} may not make tables in the schema public: as the owner of the database, "
                + $"GRANT USAGE, CREATE ON SCHEMA public TO {account}" : null)
            ?? (!await reader.IsDBNullAsync(5, cancellationToken) && reader.GetString(5) is var owner
                ? $"the tables belong to {owner}, and {account} is no member of that role: run this as {owner}, "
                    + $"or GRANT {owner} TO {account}"
                : null);
    }

    private const string TryLockSql = """
        SET LOCAL idle_in_transaction_session_timeout = 0;
        SELECT pg_try_advisory_xact_lock(@key)
        """;

    /// <summary>Waits until no other run is migrating; disposing the answer, or the end of the process, gives the lock back.</summary>
    /// <remarks>
    /// The lock belongs to a transaction, so that it holds behind a pooler too. Who waits asks again and again: a statement that waits
    /// would hold up CREATE INDEX CONCURRENTLY in the run that it waits for.
    /// </remarks>
    public async Task<IAsyncDisposable> LockAsync(Action onWait, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var connection = await db.OpenConnectionAsync(cancellationToken);
            try
            {
                await connection.BeginTransactionAsync(cancellationToken);
                await using var tryLock = new NpgsqlCommand(TryLockSql, connection) { Parameters = { new("key", LockKey) } };
                if ((bool)(await tryLock.ExecuteScalarAsync(cancellationToken))!)
                    return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }

            await connection.DisposeAsync();
            if (attempt == 1)
                onWait();
            await Task.Delay(BetweenAttempts, TimeProvider.System, cancellationToken);
        }
    }
}
