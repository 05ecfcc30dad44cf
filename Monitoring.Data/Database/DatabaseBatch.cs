using System.Data;
using Dapper;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>
/// Several statements in one round trip: reads of one snapshot of the database, or the writes of a transaction. Whoever takes part adds its
/// statements before the batch is sent and finds the rows after.
/// </summary>
public sealed class DatabaseBatch
{
    // As statements of the batch, so that they cost no round trip and need nothing of the session: a pooler may stand in between.
    private const string Begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    private const string Commit = "COMMIT";

    private readonly List<NpgsqlBatchCommand> _commands = [];
    private readonly List<Func<NpgsqlDataReader, CancellationToken, Task>> _reads = [];

    /// <summary>Adds a statement with its parameters; its rows become records by the same conventions as everywhere.</summary>
    public BatchRows<T> Add<T>(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        Add(sql, parameters);
        var rows = new BatchRows<T>();
        _reads.Add(rows.ReadAsync);
        return rows;
    }

    /// <summary>Adds a statement that answers no rows.</summary>
    public void Add(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (name, value) in parameters)
            command.Parameters.Add(ToParameter(name, value));
        _commands.Add(command);
    }

    /// <summary>Runs all statements on one snapshot, which nothing can change, and reads all rows.</summary>
    public async Task SendAsync(DatabaseConnections db, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Begin));
        AddTo(batch);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Commit));
        await ReadAsync(batch, cancellationToken);
    }

    /// <summary>Runs all statements within a transaction and reads all rows.</summary>
    public async Task SendAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        if (_commands.Count == 0)
            return;
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        AddTo(batch);
        await ReadAsync(batch, cancellationToken);
    }

    private void AddTo(NpgsqlBatch batch)
    {
        foreach (var command in _commands)
            batch.BatchCommands.Add(command);
    }

    // The reader stands at the first statement that answers rows, and goes on to the next such one.
    private async Task ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        foreach (var read in _reads)
        {
            await read(reader, cancellationToken);
            await reader.NextResultAsync(cancellationToken);
        }
    }

    internal static NpgsqlParameter ToParameter(string name, object? value) => value switch
    {
        DateTimeOffset at => new NpgsqlParameter(name, at.UtcDateTime),
        _ => new NpgsqlParameter(name, value ?? DBNull.Value),
    };
}

/// <summary>The rows of one statement of a batch; empty until the batch was sent.</summary>
public sealed class BatchRows<T>
{
    private readonly List<T> _rows = [];

    /// <summary>All rows, in order.</summary>
    public IReadOnlyList<T> Rows => _rows;

    /// <summary>The only row, or null where there is none.</summary>
    public T? Only => _rows.Count switch
    {
        0 => default,
        1 => _rows[0],
        _ => throw new DataException($"one row of {typeof(T).Name} was expected, not {_rows.Count}"),
    };

    internal async Task ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var parse = reader.GetRowParser<T>();
        while (await reader.ReadAsync(cancellationToken))
            _rows.Add(parse(reader));
    }
}
