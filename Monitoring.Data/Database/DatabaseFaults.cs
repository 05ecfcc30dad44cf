using System.Data;
using System.Net.Sockets;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>Tells the database's faults from others, and says in one line why the database cannot be used.</summary>
public static class DatabaseFaults
{
    /// <summary>Whether this is the database's fault: it answered with an error, not in time, or not at all.</summary>
    public static bool Covers(Exception fault) => fault switch
    {
        NpgsqlException or TimeoutException => true,
        // Dapper wraps what it meets in the middle of a row
        DataException { InnerException: { } cause } => cause is OperationCanceledException || Covers(cause),
        _ => false,
    };

    /// <summary>The fault of the server or its connection, unwrapped; null where it is none.</summary>
    public static NpgsqlException? Find(Exception fault) => fault switch
    {
        NpgsqlException found => found,
        DataException { InnerException: { } cause } => Find(cause),
        _ => null,
    };

    /// <summary>The server's own text where it answered, else the fault of the connection with its cause.</summary>
    public static string Describe(Exception fault) => Find(fault) switch
    {
        PostgresException answered => answered.MessageText,
        { InnerException: { } cause } found when !found.Message.Contains(cause.Message, StringComparison.Ordinal) =>
            $"{found.Message} ({cause.Message})",
        { } found => found.Message,
        null => fault.Message,
    };

    /// <summary>
    /// Whether another attempt may go well: the server restarts or was left for another one, a lock or a neighbour was
    /// in the way, the connection broke. Where that happened in a commit, nobody knows whether it was done.
    /// </summary>
    public static bool IsTransient(Exception fault) => Find(fault) is { } found && IsTransient(found);

    private static bool IsTransient(NpgsqlException fault) =>
        fault.IsTransient || IsReadOnly(fault)
        || fault is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow }
        || fault.InnerException is IOException or SocketException or TimeoutException or AggregateException;

    /// <summary>Whether the server answered that it is a standby by now, or may not be written to.</summary>
    public static bool IsReadOnly(Exception fault) =>
        Find(fault) is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction };
}
