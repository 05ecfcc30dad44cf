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
}
