using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Tests;

/// <summary>Reads one statement of a batch alone.</summary>
internal static class BatchReads
{
    public static async Task<IReadOnlyList<T>> ReadAsync<T>(this NpgsqlDataSource db, Func<DatabaseBatch, BatchRows<T>> add)
    {
        var batch = new DatabaseBatch();
        var rows = add(batch);
        await batch.SendAsync(db, default);
        return rows.Rows;
    }
}
