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
        var connection = new NpgsqlConnectionStringBuilder((database.Connection
            ?? throw new InvalidOperationException("no DATABASE_URL: nothing may ask for the database")).ConnectionString);
        if (hasPooler)
            return Create(connection, prepare: false);
        connection.SearchPath = SchemaVersions.Schema; // an account's own would find other tables, or none
        if (database.StatementTimeout is { } limit)
            connection.Options = $"{connection.Options} -c statement_timeout={limit.TotalSeconds:0}s".Trim();
        return Create(connection);
    }

    /// <summary>A pooled data source; of several hosts the primary one is used unless the string says otherwise.</summary>
    public static NpgsqlDataSource Create(NpgsqlConnectionStringBuilder connection, bool prepare = true)
    {
        DapperConventions.Apply();
        var own = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { NoResetOnClose = true };
        if (prepare && !own.ShouldSerialize("Max Auto Prepare"))
            (own.MaxAutoPrepare, own.AutoPrepareMinUsages) = (PreparedStatements, UsesBeforePreparing);
        if (own.Host?.Contains(',') != true && own.TargetSessionAttributes is null)
            return new NpgsqlDataSourceBuilder(own.ConnectionString).Build();

        // A single host may be asked for a kind of session too: then it is a list of one.
        var wanted = own.TargetSessionAttributes is { } name
            ? Enum.Parse<TargetSessionAttributes>(name.Replace("-", "", StringComparison.Ordinal), ignoreCase: true)
            : TargetSessionAttributes.Primary;
        own.TargetSessionAttributes = null;
        return new NpgsqlDataSourceBuilder(own.ConnectionString).BuildMultiHost().WithTargetSession(wanted);
    }

    /// <summary>Whether a pooler stands between this open connection and the server: it then shows a process id of its own.</summary>
    public static async Task<bool> HasPoolerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var ask = new NpgsqlCommand(BackendSql, connection);
        return (int)(await ask.ExecuteScalarAsync(cancellationToken))! != connection.ProcessID;
    }
}
