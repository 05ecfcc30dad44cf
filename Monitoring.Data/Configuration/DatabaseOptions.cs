using Npgsql;

namespace Monitoring.Data.Configuration;

/// <summary>Whether a pooler in transaction mode, such as PgBouncer, stands between the programs and the server.</summary>
public enum PoolerMode
{
    /// <summary>The programs find out by themselves.</summary>
    Auto,

    /// <summary>There is one.</summary>
    Yes,

    /// <summary>There is none.</summary>
    No,
}

/// <summary>
/// Where the database is and how many connections may be used. Null connection: no <c>DATABASE_URL</c> was given. <paramref name="Direct"/>
/// leads past a pooler to the server itself, for what needs a session of its own.
/// </summary>
public sealed record DatabaseOptions(
    NpgsqlConnectionStringBuilder? Connection, NpgsqlConnectionStringBuilder? Direct = null, PoolerMode Pooler = PoolerMode.Auto)
{
    /// <summary>The sections whose keys this class reads.</summary>
    public const string Section = "Database";

    /// <summary>How long the server works on one statement, where no pooler is in between; null: as the server is set.</summary>
    public TimeSpan? StatementTimeout { get; init; }

    /// <summary>
    /// The same database through one connection of its own, which waits for nothing longer than this: for what others must not hold up.
    /// </summary>
    public DatabaseOptions WithOneConnection(TimeSpan patience) => this with
    {
        Connection = new NpgsqlConnectionStringBuilder(Connection!.ConnectionString)
        {
            MinPoolSize = 0, MaxPoolSize = 1, Timeout = (int)patience.TotalSeconds, CommandTimeout = (int)patience.TotalSeconds,
        },
    };

    /// <summary>Reads <c>DATABASE_URL</c> and the pool's settings; what is wrong becomes a fault of <paramref name="settings"/>.</summary>
    public static DatabaseOptions Read(SettingsReader settings, string applicationName)
    {
        var size = settings.Whole("Database:PoolSize", "DATABASE_POOL_SIZE", 5, 1, 1000);
        var overflow = settings.Whole("Database:MaxOverflow", "DATABASE_MAX_OVERFLOW", 10, 0, 1000);
        var timeout = settings.Whole("Database:PoolTimeout", "DATABASE_POOL_TIMEOUT", 30, 1, 600);
        var recycle = settings.Whole("Database:PoolRecycle", "DATABASE_POOL_RECYCLE", 3600, 0, 86400);
        return new DatabaseOptions(
            ReadUrl("Database:Url", "DATABASE_URL"),
            ReadUrl("Database:DirectUrl", "DATABASE_DIRECT_URL"),
            settings.Choice("Database:Pooler", "DATABASE_POOLER", PoolerMode.Auto));

        NpgsqlConnectionStringBuilder? ReadUrl(string key, string shortName)
        {
            if (settings.Secret(key, shortName, DatabaseUrl.Form) is not { } url)
                return null;
            try
            {
                var connection = DatabaseUrl.Parse(url);
                connection.ApplicationName ??= applicationName;
                connection.MaxPoolSize = size + overflow;
                connection.ConnectionLifetime = recycle;
                if (!connection.ShouldSerialize("Timeout"))
                    connection.Timeout = timeout;
                return connection;
            }
            catch (FormatException fault)
            {
                settings.Refuse(shortName, fault.Message);
                return null;
            }
        }
    }

    /// <summary>Host and database, without account and password: for messages and logs.</summary>
    public string Display => Connection is null ? "no database" : $"{Connection.Host}:{Connection.Port}/{Connection.Database}";
}
