using System.Net.Sockets;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>Says in one line why the database cannot be used.</summary>
public static class DatabaseFaults
{
    /// <summary>The server's own text where it answered, else the fault of the connection with its cause.</summary>
    public static string Describe(NpgsqlException fault) => fault switch
    {
        PostgresException answered => answered.MessageText,
        { InnerException: { } cause } when !fault.Message.Contains(cause.Message, StringComparison.Ordinal) => $"{fault.Message} ({cause.Message})",
        _ => fault.Message,
    };

    /// <summary>
    /// Whether another attempt may go well: the server restarts or was left for another one, a lock or a neighbour was in the way, the connection broke. Where that
    /// happened in a commit, nobody knows whether it was done.
    /// </summary>
    public static bool IsTransient(NpgsqlException fault) =>
        fault.IsTransient || IsReadOnly(fault)
        || fault is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow }
        || fault.InnerException is IOException or SocketException or TimeoutException or AggregateException;

    /// <summary>Whether the server answered that it is a standby by now, or may not be written to.</summary>
    public static bool IsReadOnly(NpgsqlException fault) => fault is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction };
}
