using Dapper;

namespace Monitoring.Data.Database;

/// <summary>
/// The table <c>cursor_key</c>: one random key for the life of the database, with which the read service seals
/// the cursors of its lists.
/// </summary>
public sealed class CursorKey(DatabaseConnections db)
{
    private byte[]? _key;

    private const string FindSql = """
        SELECT key
          FROM cursor_key
        """;

    /// <summary>The key; read once, for it never changes.</summary>
    public async ValueTask<byte[]> ReadAsync(CancellationToken cancellationToken)
    {
        if (_key is { } known)
            return known;
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return _key = await connection.QuerySingleAsync<byte[]>(new(FindSql, cancellationToken: cancellationToken));
    }
}
