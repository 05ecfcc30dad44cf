using Dapper;

namespace Monitoring.Data.Database;

/// <summary>The partitions of all tables that are partitioned by day.</summary>
public sealed class DayPartitions(DatabaseConnections db)
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
        await connection.ExecuteAsync(new(
            EnsureSql, new { days = days.Select(day => day.ToString("yyyy-MM-dd")).ToArray() }, cancellationToken: cancellationToken));
    }

    internal const string FindOldestDaySql = """
        SELECT to_date(right(child.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'
          FROM pg_inherits
          JOIN pg_class AS child ON child.oid = inhrelid
         WHERE inhparent = to_regclass('public.' || quote_ident(@table))
           AND right(child.relname, 8) ~ '^[0-9]{8}$'
         ORDER BY right(child.relname, 8)
         LIMIT 1
        """;

    /// <summary>
    /// The beginning of the oldest UTC day that this table keeps; null without any. What was before is not known any more.
    /// </summary>
    public async Task<DateTimeOffset?> FindOldestDayAsync(string table, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<DateTimeOffset?>(
            new(FindOldestDaySql, new { table }, cancellationToken: cancellationToken));
    }

    private const string ListParentsSql = """
        SELECT parent.relname::text
          FROM pg_partitioned_table
          JOIN pg_class AS parent ON parent.oid = partrelid
         WHERE parent.relnamespace = 'public'::regnamespace
         ORDER BY parent.relname
         LIMIT 1000
        """;

    private const string DropBeforeSql = """
        SELECT dropped
          FROM drop_day_partitions_before(@table, @firstKept::date) AS dropped
         ORDER BY dropped
         LIMIT 100000
        """;

    /// <summary>
    /// Drops of every such table, one after the other, the partitions of all UTC days before the first that is kept of it, whole. Answers
    /// their names.
    /// </summary>
    public async Task<IReadOnlyList<string>> DropBeforeAsync(Func<string, DateOnly> firstKeptOf, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        var dropped = new List<string>();
        // A statement each: a drop locks its table, and nobody should wait for more than one.
        foreach (var table in await connection.QueryAsync<string>(new(ListParentsSql, cancellationToken: cancellationToken)))
            dropped.AddRange(await connection.QueryAsync<string>(
                new(DropBeforeSql, new { table, firstKept = firstKeptOf(table).ToString("yyyy-MM-dd") },
                    cancellationToken: cancellationToken)));
        return dropped;
    }
}
