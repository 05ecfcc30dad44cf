using Dapper;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>How long a transaction waits for a lock that another one has.</summary>
public static class LockTimeouts
{
    private const string SetSql = """
        SELECT set_config('lock_timeout', @lockTimeout, true)
        """;

    /// <summary>From now on a statement of this transaction fails where it waits for a lock for longer.</summary>
    public static Task SetAsync(TimeSpan most, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection!.ExecuteAsync(new(
            SetSql, new { lockTimeout = $"{most.TotalMilliseconds:0}ms" }, transaction, cancellationToken: cancellationToken));
}
