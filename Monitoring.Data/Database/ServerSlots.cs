using Dapper;

namespace Monitoring.Data.Database;

/// <summary>How many sessions the server gives to this account in this database at most.</summary>
public sealed class ServerSlots(DatabaseConnections db)
{
    private const string FindSql = """
        SELECT least(current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
                         - coalesce(current_setting('reserved_connections', true)::integer, 0),
                     nullif((SELECT datconnlimit FROM pg_database WHERE datname = current_database()), -1),
                     nullif((SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user), -1))
        """;

    /// <summary>The least of the server's, the database's and the account's limit.</summary>
    public async Task<int> FindAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<int>(new(FindSql, cancellationToken: cancellationToken));
    }
}
