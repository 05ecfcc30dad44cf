using System.Collections.Concurrent;
using System.Data;
using System.Globalization;
using Dapper;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>A row that was asked for and holds what no program can read.</summary>
public sealed class UnreadableRowException(string message, Exception cause) : DataException(message, cause);

/// <summary>A row that holds what no program can read, such as a time without end, and why it cannot.</summary>
public sealed record UnreadableRow(string Table, string Key, string Reason);

/// <summary>
/// Reads rows so that one which cannot be read is one row: it is named in the log once, and kept in mind for whoever reports it; the others
/// are read.
/// </summary>
public sealed partial class UnreadableRows(ILogger<UnreadableRows>? logger = null, TimeProvider? clock = null)
{
    private const int MostKnown = 1000;
    private const int MostOfReason = 200;

    private static readonly TimeSpan KeptInMind = TimeSpan.FromMinutes(10); // one that is removed is never read

    private readonly ILogger _logger = logger ?? NullLogger<UnreadableRows>.Instance;
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly ConcurrentDictionary<(string Table, string Key), (UnreadableRow Row, long MetAt)> _known = new();

    /// <summary>Those that were met lately and not read since.</summary>
    public IReadOnlyCollection<UnreadableRow> Known
    {
        get
        {
            foreach (var (key, known) in _known)
                if (_clock.GetElapsedTime(known.MetAt) > KeptInMind)
                    _known.TryRemove(key, out _);
            return [.. _known.Values.Select(known => known.Row)];
        }
    }

    /// <summary>
    /// The rows of a list, as many as it asks for: it is asked again without those that cannot be read. <paramref name="ask"/> makes the
    /// statement for the keys to leave out, which are the statement's first column.
    /// </summary>
    internal async Task<IReadOnlyList<T>> ListAsync<T, TKey>(
        NpgsqlConnection connection, string table, Func<TKey[], CommandDefinition> ask, CancellationToken cancellationToken)
        where TKey : notnull
    {
        for (var leftOut = Array.Empty<TKey>(); ;)
        {
            var (rows, unreadable) = await ReadAsync<T, TKey>(connection, table, ask(leftOut), 0, cancellationToken);
            if (unreadable.Count == 0)
                return rows;
            leftOut = [.. leftOut, .. unreadable];
        }
    }

    /// <summary>
    /// The rows that can be read, and the keys of the others, of a statement or of several that have the same columns. The key is the first
    /// column; the record begins with column <paramref name="from"/>.
    /// </summary>
    internal async Task<(List<T> Rows, List<TKey> Unreadable)> ReadAsync<T, TKey>(
        NpgsqlConnection connection, string table, CommandDefinition command, int from, CancellationToken cancellationToken)
        where TKey : notnull
    {
        var (rows, unreadable) = (new List<T>(), new List<TKey>());
        await using var reader = await connection.ExecuteReaderAsync(command);
        var parse = reader.GetRowParser<T>(startIndex: from);
        do
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                var key = reader.GetFieldValue<TKey>(0);
                try
                {
                    rows.Add(parse(reader));
                    if (!_known.IsEmpty)
                        _known.TryRemove((table, Text(key)), out _);
                }
                catch (Exception fault) when (IsOfTheRow(fault))
                {
                    unreadable.Add(key);
                    Note(table, Text(key), fault);
                }
            }
        }
        while (await reader.NextResultAsync(cancellationToken));

        return (rows, unreadable);
    }

    /// <summary>The only row of a statement, or null where there is none.</summary>
    /// <exception cref="UnreadableRowException">It cannot be read.</exception>
    internal static async Task<T?> FindAsync<T>(
        NpgsqlConnection connection, string table, object key, CommandDefinition command) where T : class
    {
        try
        {
            return await connection.QuerySingleOrDefaultAsync<T>(command);
        }
        catch (Exception fault) when (IsOfTheRow(fault))
        {
            throw new UnreadableRowException($"row {key} of {table} cannot be read: {Reason(fault)}", fault);
        }
    }

    private static bool IsOfTheRow(Exception fault) =>
        fault is DataException or InvalidCastException or OverflowException or ArgumentException or FormatException
        && !DatabaseFaults.Covers(fault);

    private void Note(string table, string key, Exception fault)
    {
        var row = new UnreadableRow(table, key, Reason(fault));
        var isNew = !_known.ContainsKey((table, key));
        if (isNew && _known.Count >= MostKnown)
            return;
        _known[(table, key)] = (row, _clock.GetTimestamp());
        if (isNew)
            LogUnreadable(key, table, row.Reason);
    }

    private static string Reason(Exception fault) =>
        fault.Message.Length <= MostOfReason ? fault.Message : fault.Message[..MostOfReason] + "…";

    private static string Text(object key) => Convert.ToString(key, CultureInfo.InvariantCulture)!;

    [LoggerMessage(LogLevel.Error, "row {Key} of {Table} cannot be read and is left out until it is mended: {Reason}")]
    private partial void LogUnreadable(string key, string table, string reason);
}
