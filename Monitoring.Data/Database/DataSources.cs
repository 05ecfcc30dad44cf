using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>
/// Builds the data sources. Where a pooler stands between a program and the server, each transaction may meet another session: then
/// nothing is prepared and no setting is asked for at the start of a connection. Nothing of ours leaves anything behind in a session,
/// so none is reset.
/// </summary>
public static class DataSources
{
    private const int PreparedStatements = 100;
    private const int UsesBeforePreparing = 2;

    private const string BackendSql = """
        SELECT pg_backend_pid()
        """;

    /// <summary>The data source of a program, with a pooler in between or without one.</summary>
    internal static NpgsqlDataSource Create(DatabaseOptions database, bool hasPooler)
    {
        var connection = database.Connection ?? throw new InvalidOperationException("no DATABASE_URL: nothing may ask for the database");
        if (hasPooler)
            return Create(connection, prepare: false);
        // As statements: even a pooler that leaves a program its session may take no settings at the start. An account's own search_path
        // would find other tables, or none.
        var limit = database.StatementTimeout is { } time ? $"; SET statement_timeout = '{time.TotalSeconds:0}s'" : "";
        return Create(connection, prepare: true, $"SET search_path = {SchemaVersions.Schema}{limit}");
    }

    /// <summary>
    /// A pooled data source; of several hosts the primary one is used unless the string says otherwise. <paramref name="settings"/> are
    /// the statements with which each session begins.
    /// </summary>
    public static NpgsqlDataSource Create(NpgsqlConnectionStringBuilder connection, bool prepare = true, string? settings = null)
    {
        DapperConventions.Apply();
        var own = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { NoResetOnClose = true };
        if (prepare && !own.ShouldSerialize("Max Auto Prepare"))
            (own.MaxAutoPrepare, own.AutoPrepareMinUsages) = (PreparedStatements, UsesBeforePreparing);
        // A single host may be asked for a kind of session too: then it is a list of one.
        var (attribute, isList) = (own.TargetSessionAttributes, own.Host?.Contains(',') == true);
        own.TargetSessionAttributes = null;
        var builder = new NpgsqlDataSourceBuilder(own.ConnectionString);
        if (settings is not null)
            builder.UsePhysicalConnectionInitializer(opened => Begin(opened, settings), opened => BeginAsync(opened, settings));
        return !isList && attribute is null ? builder.Build()
            : builder.BuildMultiHost().WithTargetSession(attribute is null ? TargetSessionAttributes.Primary
                : Enum.Parse<TargetSessionAttributes>(attribute.Replace("-", "", StringComparison.Ordinal), ignoreCase: true));
    }

    private static void Begin(NpgsqlConnection connection, string settings)
    {
        using var set = new NpgsqlCommand(settings, connection);
        set.ExecuteNonQuery();
    }

    private static async Task BeginAsync(NpgsqlConnection connection, string settings)
    {
        await using var set = new NpgsqlCommand(settings, connection);
        await set.ExecuteNonQueryAsync();
    }

    /// <summary>Whether a pooler stands between this open connection and the server: it then shows a process id of its own.</summary>
    public static async Task<bool> HasPoolerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var ask = new NpgsqlCommand(BackendSql, connection);
        return (int)(await ask.ExecuteScalarAsync(cancellationToken))! != connection.ProcessID;
    }
}
