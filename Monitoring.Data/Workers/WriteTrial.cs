using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Workers;

/// <summary>
/// Tries whether a worker could write its pulse now: a lock that somebody holds, a server that takes no more transactions, or one whose
/// commits hang, all let reads go on, and none of them shows in a setting.
/// </summary>
public sealed class WriteTrial
{
    // Said outright: an account that reads by default may write all the same.
    private const string Begin = "BEGIN READ WRITE";
    private const string Commit = "COMMIT";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(5);

    private readonly DatabaseConnections _db;
    private readonly TimeProvider _clock;
    private readonly SharedRun<Outcome> _trying;
    private volatile Outcome? _newest;

    private sealed record Outcome(string? Problem, long At);

    /// <summary>Tries nothing yet.</summary>
    public WriteTrial(DatabaseConnections db, TimeProvider clock)
    {
        (_db, _clock) = (db, clock);
        _trying = new SharedRun<Outcome>(async cancellationToken => new Outcome(await TryAsync(cancellationToken), clock.GetTimestamp()));
    }

    private const string TrySql = """
        SELECT try_pulse_write()
        """;

    /// <summary>
    /// Null where it works, and where this account may not try: then nothing speaks for the database being at fault. Else what the database
    /// says. Tried every few seconds at most.
    /// </summary>
    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        if (_newest is not { } newest || _clock.GetElapsedTime(newest.At) >= KnownFor)
            _newest = newest = await _trying.JoinAsync(cancellationToken);
        return newest.Problem;
    }

    // To wait for a connection is no trial, so that comes first. A trial that is left to itself gives it back when it is over.
    private async Task<string?> TryAsync(CancellationToken cancellationToken)
    {
        var connection = await _db.OpenConnectionAsync(cancellationToken);
        try
        {
            return await DatabaseDeadline.HoldAsync(token => TryAsync(connection, token), Deadline, cancellationToken);
        }
        catch (TimeoutException timeout)
        {
            return timeout.Message;
        }
    }

    private static async Task<string?> TryAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var given = connection;
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new NpgsqlBatchCommand(Begin), new NpgsqlBatchCommand(TrySql), new NpgsqlBatchCommand(Commit) },
        };
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            return null;
        }
        catch (PostgresException fault)
        {
            return fault.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedFunction
                ? null : fault.MessageText;
        }
    }
}
