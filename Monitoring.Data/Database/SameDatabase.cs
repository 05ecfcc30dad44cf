using Dapper;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>Whether two ways lead to the same database of the same server: a lock that is taken on one is seen on the other.</summary>
public sealed class SameDatabase(DatabaseConnections db)
{
    private const string LockSql = """
        SELECT pg_try_advisory_xact_lock(@key)
        """;

    private const string IsLockedSql = """
        SELECT EXISTS (SELECT
                         FROM pg_locks
                        WHERE locktype = 'advisory' AND (classid::bigint << 32) | objid::bigint = @key
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        """;

    /// <summary>Whether this other connection is one to the same database.</summary>
    public async Task<bool> IsThatOfAsync(NpgsqlConnection other, CancellationToken cancellationToken)
    {
        var key = Random.Shared.NextInt64(); // nobody else's
        await using var transaction = await other.BeginTransactionAsync(cancellationToken);
        await other.ExecuteAsync(new(LockSql, new { key }, transaction, cancellationToken: cancellationToken));
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<bool>(new(IsLockedSql, new { key }, cancellationToken: cancellationToken));
    }
}
