using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>Sends the writes that a test puts together.</summary>
internal static class Writes
{
    /// <summary>Runs what <paramref name="add"/> adds within the transaction.</summary>
    public static Task SendAsync(this NpgsqlTransaction transaction, Action<DatabaseBatch> add)
    {
        var batch = new DatabaseBatch();
        add(batch);
        return batch.SendAsync(transaction, default);
    }
}
