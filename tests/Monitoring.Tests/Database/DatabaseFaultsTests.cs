using System.Data;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>Which exceptions are the database's fault, and what is said of them.</summary>
public sealed class DatabaseFaultsTests
{
    private static readonly NpgsqlException Broken = new(
        "Exception while reading from stream", new IOException("Connection reset by peer"));

    public static IEnumerable<TestCaseData> Faults() =>
    [
        new(Broken, true, true, "Exception while reading from stream (Connection reset by peer)"),
        new(new PostgresException("the database system is shutting down", "FATAL", "FATAL", PostgresErrorCodes.AdminShutdown),
            true, true, "the database system is shutting down"),
        new(new PostgresException("syntax error", "ERROR", "ERROR", PostgresErrorCodes.SyntaxError), true, false, "syntax error"),
        new(new TimeoutException("late"), true, false, "late"),
        // a connection that ends in the middle of a row
        new(new DataException("Error parsing column 2", Broken), true, true,
            "Exception while reading from stream (Connection reset by peer)"),
        new(new DataException("Error parsing column 2", new DataException("inner", Broken)), true, true,
            "Exception while reading from stream (Connection reset by peer)"),
        new(new DataException("Error parsing column 2", new OperationCanceledException("canceled")), true, false, "Error parsing column 2"),
        new(new DataException("Error parsing column 2", new InvalidCastException("no number")), false, false, "Error parsing column 2"),
        new(new DataException("'x' is no Severity"), false, false, "'x' is no Severity"),
        new(new InvalidOperationException("a defect"), false, false, "a defect"),
    ];

    [TestCaseSource(nameof(Faults))]
    public void Fault_of_the_database_is_told_from_a_defect(Exception fault, bool covered, bool transient, string said) =>
        Assert.That((DatabaseFaults.Covers(fault), DatabaseFaults.IsTransient(fault), DatabaseFaults.Describe(fault)),
            Is.EqualTo((covered, transient, said)));
}
