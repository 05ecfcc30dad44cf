using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>A text that differs whenever a read could see other rows; null where it cannot be known.</summary>
public sealed record ChangeMark(string? Mark)
{
    // pg_current_snapshot names the transactions that are over: as long as it stays, every statement sees the same rows, of every table,
    // whoever writes them and however. It moves at each commit, so nothing needs to be counted by those who write, and none of them waits
    // for another to count; that it also moves for a neighbour's database costs a read and no more. The start of the server tells two
    // servers apart that hand out the same numbers: after a fail-over, or a restore from before. On a standby the snapshot does not list
    // what is under way, so it can stay while rows appear: there is no mark there.
    internal const string FindSql = """
        SELECT CASE WHEN NOT pg_is_in_recovery()
                    THEN extract(epoch FROM pg_postmaster_start_time())::text || ' ' || pg_current_snapshot()::text END AS mark
        """;
}

/// <summary>Asks for the present mark: one tiny statement, shared by all who ask at the same time.</summary>
public sealed class ChangeMarks
{
    private readonly SharedRun<ChangeMark> _reading;

    public ChangeMarks(DatabaseConnections db) =>
        _reading = new SharedRun<ChangeMark>(cancellationToken => FindAsync(db, cancellationToken));

    /// <summary>The mark of a moment that is not before this call.</summary>
    public Task<ChangeMark> ReadAsync(CancellationToken cancellationToken) => _reading.JoinAsync(cancellationToken);

    private static async Task<ChangeMark> FindAsync(DatabaseConnections db, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(ChangeMark.FindSql, connection);
        return new ChangeMark(await command.ExecuteScalarAsync(cancellationToken) as string);
    }
}
