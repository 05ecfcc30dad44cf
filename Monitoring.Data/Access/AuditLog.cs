using System.Data;
using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Access;

/// <summary>What is written to the log; number, time and hashes come from the database.</summary>
public sealed record AuditEntry(string Actor, string Origin, string Action, string Subject, string Detail);

/// <summary>One row of the log.</summary>
public sealed record AuditRow(
    long Seq, DateTimeOffset RecordedAt, string Actor, string Origin, string Action, string Subject, string Detail,
    byte[] PreviousHash, byte[] Hash);

/// <summary>Number and hash of the newest row, as the database keeps them beside the log.</summary>
public sealed record AuditHead(long LastSeq, byte[] LastHash);

/// <summary>The table <c>audit_log</c>: append only, without holes, each row bound to the one before by its hash.</summary>
public sealed class AuditLog(DatabaseConnections db)
{
    private const int BatchSize = 5_000;

    private const string AppendSql = """
        INSERT INTO audit_log (actor, origin, action, subject, detail)
        VALUES (@Actor, @Origin, @Action, @Subject, @Detail)
        """;

    /// <summary>Appends one row. Numbering locks out other writers until the transaction ends, so this comes last in it.</summary>
    public async Task AppendAsync(AuditEntry entry, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        await transaction.Connection!.ExecuteAsync(new(AppendSql, entry, transaction, cancellationToken: cancellationToken));

    private const string RecordRefusalsSql = """
        SELECT record_refusals(@origins, @details)
        """;

    /// <summary>Appends summaries of refused requests, at most ten.</summary>
    public async Task RecordRefusalsAsync(string[] origins, string[] details, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(RecordRefusalsSql, new { origins, details }, cancellationToken: cancellationToken));
    }

    private const string FindHeadSql = """
        SELECT last_seq, last_hash
          FROM audit_log_head
         LIMIT 1
        """;

    private const string ListAfterSql = """
        SELECT seq, recorded_at, actor, origin, action, subject, detail, previous_hash, hash
          FROM audit_log
         WHERE seq > @afterSeq
         ORDER BY seq
         LIMIT @limit
        """;

    /// <summary>
    /// Gives the head and then every row in order, all as of one moment, however many are appended meanwhile. Answers
    /// what <paramref name="read"/> answers.
    /// </summary>
    public async Task<T> ReadAsync<T>(Func<AuditHead?, IAsyncEnumerable<AuditRow>, Task<T>> read, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var moment = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var head = await connection.QuerySingleOrDefaultAsync<AuditHead>(
            new(FindHeadSql, transaction: moment, cancellationToken: cancellationToken));
        return await read(head, RowsAsync());

        async IAsyncEnumerable<AuditRow> RowsAsync()
        {
            for (var afterSeq = long.MinValue; ;)
            {
                var batch = (await connection.QueryAsync<AuditRow>(new(
                    ListAfterSql, new { afterSeq, limit = BatchSize }, moment, cancellationToken: cancellationToken))).AsList();
                foreach (var row in batch)
                    yield return row;
                if (batch.Count < BatchSize)
                    yield break;
                afterSeq = batch[^1].Seq;
            }
        }
    }
}
