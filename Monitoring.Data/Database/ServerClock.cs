using Dapper;

namespace Monitoring.Data.Database;

/// <summary>The clock of the database's server.</summary>
public sealed class ServerClock(DatabaseConnections db)
{
    private const string NowSql = """
        SELECT clock_timestamp()
        """;

    /// <summary>What time it has.</summary>
    public async Task<DateTimeOffset> AskAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<DateTimeOffset>(new(NowSql, cancellationToken: cancellationToken));
    }
}
