using Npgsql;

namespace Monitoring.Migrations;

/// <summary>A migration that the database has: its version, when it was applied (UTC) and its description.</summary>
public sealed record AppliedMigration(long Version, DateTime? AppliedOn, string? Description);

/// <summary>What <c>"VersionInfo"</c> says, and the lock that lets one run at a time change it.</summary>
public sealed class SchemaHistory(NpgsqlDataSource db)
{
    // Any fixed number; it only has to be the same in every run.
    private const long LockKey = 0x4d4f4e49544f52;

    private const string ExistsSql = """
        SELECT to_regclass('"VersionInfo"') IS NOT NULL
        """;

    private const string ListSql = """
        SELECT "Version", "AppliedOn", "Description" FROM "VersionInfo" ORDER BY "Version"
        """;

    private const string TryLockSql = """
        SELECT pg_try_advisory_lock($1)
        """;

    private const string LockSql = """
        SELECT pg_advisory_lock($1)
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

    private const string UnlockSql = """
        SELECT pg_advisory_unlock($1)
        """;

    /// <summary>Waits until no other run is migrating; disposing the answer, or the end of the process, gives the lock back.</summary>
    public async Task<IAsyncDisposable> LockAsync(Action onWait, CancellationToken cancellationToken)
    {
        var connection = await db.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var attempt = new NpgsqlCommand(TryLockSql, connection) { Parameters = { new() { Value = LockKey } } };
            if (!(bool)(await attempt.ExecuteScalarAsync(cancellationToken))!)
            {
                onWait();
                await using var wait = new NpgsqlCommand(LockSql, connection) { Parameters = { new() { Value = LockKey } }, CommandTimeout = 0 };
                await wait.ExecuteNonQueryAsync(cancellationToken);
            }

            return new Held(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private sealed class Held(NpgsqlConnection connection) : IAsyncDisposable
    {
        // Said outright: a pooled connection would keep its locks until somebody uses it again.
        public async ValueTask DisposeAsync()
        {
            await using (connection)
            {
                await using var unlock = new NpgsqlCommand(UnlockSql, connection) { Parameters = { new() { Value = LockKey } } };
                await unlock.ExecuteNonQueryAsync();
            }
        }
    }
}
