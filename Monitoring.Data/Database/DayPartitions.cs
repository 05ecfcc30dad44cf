using Dapper;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>The partitions of all tables that are partitioned by day.</summary>
public sealed class DayPartitions(NpgsqlDataSource db)
{
    private const string EnsureSql = """
        SELECT ensure_day_partition(parent.relname::text, day::date)
          FROM pg_partitioned_table
          JOIN pg_class AS parent ON parent.oid = partrelid
         CROSS JOIN unnest(@days) AS day
         WHERE parent.relnamespace = 'public'::regnamespace
         ORDER BY parent.relname, day
         LIMIT 10000
        """;

    /// <summary>Makes the partitions of these UTC days in every such table, where they are missing.</summary>
    public async Task EnsureAsync(IEnumerable<DateOnly> days, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(EnsureSql, new { days = days.Select(day => day.ToString("yyyy-MM-dd")).ToArray() }, cancellationToken: cancellationToken));
    }
}
