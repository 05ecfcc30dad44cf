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
        _ when IsOutOfStep(fault) => true,
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

    /// <summary>
    /// The server's own text where it answered, else the fault of the connection with its cause; with the fix where one is known.
    /// </summary>
    public static string Describe(Exception fault) => Find(fault) switch
    {
        PostgresException answered => answered.MessageText + FixOf(answered),
        { InnerException: AggregateException hosts } => string.Join("; ", hosts.InnerExceptions.Select(Describe).Distinct()),
        { InnerException: { } cause } found when !found.Message.Contains(cause.Message, StringComparison.Ordinal) =>
            $"{found.Message} ({cause.Message})",
        { } found when found.Message.StartsWith(NoSuitableHost, StringComparison.Ordinal) =>
            "no host that DATABASE_URL names takes sessions of the kind that its target_session_attrs asks for",
        { } found => found.Message,
        null => fault.Message,
    };

    private const string NoSuitableHost = "No suitable host";

    private static string FixOf(PostgresException answered) => answered.SqlState switch
    {
        PostgresErrorCodes.TooManyConnections =>
            " (the server has no slot left for this account: lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW, or raise max_connections)",
        PostgresErrorCodes.ReadOnlySqlTransaction => " (it is a standby, or set to read-only: DATABASE_URL must lead to the primary)",
        PostgresErrorCodes.InvalidCatalogName => " (create it with ENCODING 'UTF8', or correct DATABASE_URL)",
        PostgresErrorCodes.InsufficientPrivilege =>
            " (use an account that is a member of monitoring_worker or monitoring_api, or the one that ran Monitoring.Migrations up)",
        PostgresErrorCodes.ProtocolViolation when answered.MessageText.Contains("startup parameter", StringComparison.Ordinal) =>
            " (the pooler takes no settings at the start of a connection: leave options and search_path out of DATABASE_URL)",
        _ => "",
    };

    /// <summary>
    /// Whether another attempt may go well: the server restarts or was left for another one, a lock or a neighbour was
    /// in the way, the connection broke. Where that happened in a commit, nobody knows whether it was done.
    /// </summary>
    public static bool IsTransient(Exception fault) => IsOutOfStep(fault) || (Find(fault) is { } found && IsTransient(found));

    // What Npgsql throws, without a type of its own, where an answer does not fit the question; the connection is broken then.
    private static bool IsOutOfStep(Exception fault) => fault.GetType() == typeof(Exception) && fault.Source == nameof(Npgsql);

    private static bool IsTransient(NpgsqlException fault) =>
        fault.IsTransient || IsReadOnly(fault)
        || fault is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow }
        || fault.InnerException is IOException or SocketException or TimeoutException or AggregateException;

    /// <summary>Whether the server refused the values themselves (data exception, constraint violation): it never takes them.</summary>
    public static bool IsRefusedValue(Exception fault) => fault is PostgresException { SqlState: ['2', '2' or '3', ..] };

    /// <summary>Whether the server answered that it is a standby by now, or may not be written to.</summary>
    public static bool IsReadOnly(Exception fault) =>
        Find(fault) is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction };

    /// <summary>Whether the server has no slot left for a further connection.</summary>
    public static bool IsFull(Exception fault) => Find(fault) switch
    {
        PostgresException answered => answered.SqlState == PostgresErrorCodes.TooManyConnections,
        { InnerException: AggregateException hosts } => hosts.InnerExceptions.Any(IsFull),
        _ => false,
    };
}
