using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Checks;

/// <summary>A stretch of a source's positions, without its end.</summary>
public sealed record PositionRange(long From, long Until);

/// <summary>
/// What one check has read of a source: stretches of a number that only grows there, such as the number of a block, a time in
/// milliseconds or the number of an order. What lies between them it has not read, or the source had it no more.
/// </summary>
public sealed record SourceProgress(string Source, IReadOnlyList<PositionRange> Read);

/// <summary>
/// How far a source has been read: up to <paramref name="ReadUntil"/>, save for what is <paramref name="Missing"/> in between.
/// </summary>
public sealed record SourceCursor(string Source, long ReadUntil, IReadOnlyList<PositionRange> Missing);

/// <summary>
/// The table <c>source_cursors</c>: what each monitor has read of each of its sources. What is kept is the union of all readings, so a
/// reading that comes late or twice changes nothing that it should not, and one that leaves a hole shows it until another fills it.
/// </summary>
public sealed class SourceCursors(DatabaseConnections db)
{
    private const string AddSql = """
        INSERT INTO source_cursors AS known (monitor, source, covered)
        SELECT @monitor, source, covered::int8multirange
          FROM unnest(@sources, @covered) AS row (source, covered)
        ON CONFLICT (monitor, source) DO UPDATE
           SET covered = known.covered + excluded.covered, updated_at = now()
         WHERE NOT excluded.covered <@ known.covered
        """;

    /// <summary>Adds what a check has read, in one round trip.</summary>
    public static async Task AddAsync(
        string monitor, IReadOnlyList<SourceProgress> readings, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var bySource = readings
            .SelectMany(reading => reading.Read.Where(range => range.From < range.Until)
                .Select(range => (reading.Source, Text: $"[{range.From},{range.Until})")))
            .GroupBy(range => range.Source, range => range.Text)
            .ToDictionary(source => source.Key, source => $"{{{string.Join(',', source)}}}");
        if (bySource.Count > 0)
            await transaction.Connection!.ExecuteAsync(new(
                AddSql, new { monitor, sources = bySource.Keys.ToArray(), covered = bySource.Values.ToArray() }, transaction,
                    cancellationToken: cancellationToken));
    }

    private const string ListSql = """
        SELECT source, read_until, lower(gap) AS missing_from, upper(gap) AS missing_until
          FROM source_cursors
          LEFT JOIN LATERAL unnest(missing) AS gap ON true
         WHERE monitor = @monitor
         ORDER BY source, missing_from
         LIMIT 100000
        """;

    /// <summary>How far this monitor has read each of its sources; what it has never read is absent.</summary>
    public async Task<IReadOnlyList<SourceCursor>> ListAsync(string monitor, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>(new(ListSql, new { monitor }, cancellationToken: cancellationToken));
        return
        [
            .. rows.GroupBy(row => (row.Source, row.ReadUntil)).Select(source => new SourceCursor(source.Key.Source, source.Key.ReadUntil,
                [.. source.Where(row => row.MissingFrom is not null)
                    .Select(row => new PositionRange(row.MissingFrom!.Value, row.MissingUntil!.Value))])),
        ];
    }

    private sealed record Row(string Source, long ReadUntil, long? MissingFrom, long? MissingUntil);
}
