using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>
/// Builds the data sources. Where a pooler stands between a program and the server, each transaction may meet another session: then
/// nothing is prepared and no setting is asked for at the start of a connection. Nothing of ours leaves anything behind in a session,
/// so none is reset.
/// </summary>
public static partial class DataSources
{
    private const int PreparedStatements = 100;
    private const int UsesBeforePreparing = 2;
    private const int ProbeSeconds = 3;

    private const string BackendSql = """
        SELECT pg_backend_pid()
        """;

    /// <summary>The data source of a program; asks the server once whether a pooler is in between, unless the settings say so.</summary>
    public static NpgsqlDataSource Create(DatabaseOptions database, ILogger? logger = null)
    {
        var connection = new NpgsqlConnectionStringBuilder(Connection(database).ConnectionString);
        var hasPooler = HasPooler(database, logger ?? NullLogger.Instance);
        if (!hasPooler && database.StatementTimeout is { } limit)
            connection.Options = $"{connection.Options} -c statement_timeout={limit.TotalSeconds:0}s".Trim();
        return Create(connection, prepare: !hasPooler);
    }

    /// <summary>A pooled data source; of several hosts the primary one is used unless the string says otherwise.</summary>
    public static NpgsqlDataSource Create(NpgsqlConnectionStringBuilder connection, bool prepare = true)
    {
        DapperConventions.Apply();
        var own = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { NoResetOnClose = true };
        if (prepare && !own.ShouldSerialize("Max Auto Prepare"))
            (own.MaxAutoPrepare, own.AutoPrepareMinUsages) = (PreparedStatements, UsesBeforePreparing);
        if (own.Host?.Contains(',') != true)
            return new NpgsqlDataSourceBuilder(own.ConnectionString).Build();

        var wanted = own.TargetSessionAttributes is { } name
            && Enum.TryParse<TargetSessionAttributes>(name.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var given)
            ? given
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

    private static NpgsqlConnectionStringBuilder Connection(DatabaseOptions database) =>
        database.Connection ?? throw new InvalidOperationException("no DATABASE_URL: nothing may ask for the database");

    private static bool HasPooler(DatabaseOptions database, ILogger logger)
    {
        if (database.Pooler != PoolerMode.Auto || database.Direct is not null)
            return database.Pooler == PoolerMode.Yes || (database.Pooler == PoolerMode.Auto && database.Direct is not null);

        var once = new NpgsqlConnectionStringBuilder(Connection(database).ConnectionString)
        {
            Pooling = false,
            Timeout = ProbeSeconds,
            CommandTimeout = ProbeSeconds,
        };
        try
        {
            using var source = Create(once, prepare: false);
            using var connection = source.OpenConnection();
            using var ask = new NpgsqlCommand(BackendSql, connection);
            if ((int)ask.ExecuteScalar()! == connection.ProcessID)
                return false;
            LogPooler(logger, database.Display);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            LogUnknown(logger, database.Display, DatabaseFaults.Describe(fault));
        }

        return true;
    }

    [LoggerMessage(LogLevel.Information, "a pooler stands in front of the database {Database}: no statement is prepared")]
    private static partial void LogPooler(ILogger logger, string database);

    [LoggerMessage(LogLevel.Information, "whether a pooler stands in front of the database {Database} is not known ({Error}): "
        + "no statement is prepared until the next start; DATABASE_POOLER=no or yes says it")]
    private static partial void LogUnknown(ILogger logger, string database, string error);
}
