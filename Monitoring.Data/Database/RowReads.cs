using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>Reads rows one after the other, for those who need no records of them.</summary>
internal static class RowReads
{
    /// <summary>Runs a statement and calls <paramref name="row"/> at each of its rows.</summary>
    public static async Task ReadRowsAsync(
        this DatabaseConnections db, string sql, (string Name, object? Value)[] parameters, Action<NpgsqlDataReader> row,
            CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var (name, value) in parameters)
            command.Parameters.Add(DatabaseBatch.ToParameter(name, value));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            row(reader);
    }
}
