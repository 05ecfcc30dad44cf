using Dapper;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>
/// How rows that are keyed by their check go into their table: by binary COPY, which knows no conflict. That there is none follows from
/// the ledger row of the same transaction, except where a failed run of the same check has left rows: then <paramref name="listKeysSql"/>
/// lists what is there at <c>@times</c>.
/// </summary>
internal sealed class CheckRows<TRow, TKey>(
    string copySql, string listKeysSql, Func<TRow, TKey> keyOf, Func<TRow, DateTimeOffset> timeOf,
    Func<NpgsqlBinaryImporter, TRow, CancellationToken, Task> write)
    where TRow : Observation
{
    /// <summary>Stores the rows of this kind and answers how many were new.</summary>
    public async Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = observations.OfType<TRow>().DistinctBy(keyOf).ToList();
        if (rows.Count > 0 && someAreThere)
            rows = [.. rows.ExceptBy(await ListKeysAsync(rows, transaction, cancellationToken), keyOf)];
        if (rows.Count == 0)
            return 0;
        await using var writer = await transaction.Connection!.BeginBinaryImportAsync(copySql, cancellationToken);
        foreach (var row in rows)
        {
            await writer.StartRowAsync(cancellationToken);
            await write(writer, row, cancellationToken);
        }

        return (int)await writer.CompleteAsync(cancellationToken);
    }

    private Task<IEnumerable<TKey>> ListKeysAsync(List<TRow> rows, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection!.QueryAsync<TKey>(new(
            listKeysSql, new { times = rows.Select(row => timeOf(row).UtcDateTime).Distinct().ToArray() }, transaction,
                cancellationToken: cancellationToken));
}

/// <summary>Times as the database keeps them.</summary>
internal static class DatabaseTime
{
    /// <summary>The same without what is finer than a microsecond.</summary>
    public static DateTimeOffset InMicroseconds(this DateTimeOffset at) =>
        new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
