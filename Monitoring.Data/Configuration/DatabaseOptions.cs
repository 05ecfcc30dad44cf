using Npgsql;

namespace Monitoring.Data.Configuration;

/// <summary>Where the database is and how many connections may be used. Null connection: no <c>DATABASE_URL</c> was given.</summary>
public sealed record DatabaseOptions(NpgsqlConnectionStringBuilder? Connection)
{
    /// <summary>The sections whose keys this class reads.</summary>
    public const string Section = "Database";

    /// <summary>Reads <c>DATABASE_URL</c> and the pool's settings; what is wrong becomes a fault of <paramref name="settings"/>.</summary>
    public static DatabaseOptions Read(SettingsReader settings, string applicationName)
    {
        var size = settings.Whole("Database:PoolSize", "DATABASE_POOL_SIZE", 5, 1, 1000);
        var overflow = settings.Whole("Database:MaxOverflow", "DATABASE_MAX_OVERFLOW", 10, 0, 1000);
        var timeout = settings.Whole("Database:PoolTimeout", "DATABASE_POOL_TIMEOUT", 30, 1, 600);
        var recycle = settings.Whole("Database:PoolRecycle", "DATABASE_POOL_RECYCLE", 3600, 0, 86400);
        if (settings.Secret("Database:Url", "DATABASE_URL", DatabaseUrl.Form) is not { } url)
            return new DatabaseOptions((NpgsqlConnectionStringBuilder?)null);

        try
        {
            var connection = DatabaseUrl.Parse(url);
            connection.ApplicationName ??= applicationName;
            connection.MaxPoolSize = size + overflow;
            connection.ConnectionLifetime = recycle;
            if (!connection.ShouldSerialize("Timeout"))
                connection.Timeout = timeout;
            return new DatabaseOptions(connection);
        }
        catch (FormatException fault)
        {
            settings.Refuse("DATABASE_URL", fault.Message);
            return new DatabaseOptions((NpgsqlConnectionStringBuilder?)null);
        }
    }

    /// <summary>Host and database, without account and password: for messages and logs.</summary>
    public string Display => Connection is null ? "no database" : $"{Connection.Host}:{Connection.Port}/{Connection.Database}";
}
