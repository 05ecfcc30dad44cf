using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Access;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Venues;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>Registers the data source and every table of this project.</summary>
public static class DataServices
{
    /// <summary>Adds the data source for <paramref name="database"/> and the classes that hold the SQL.</summary>
    public static IServiceCollection AddMonitoringData(this IServiceCollection services, DatabaseOptions database)
    {
        services.AddSingleton(database).AddSingleton<ChannelListener>();
        services.AddSingleton(_ => CreateDataSource(database.Connection
            ?? throw new InvalidOperationException("no DATABASE_URL: nothing may ask for the database")));
        return services.AddMonitoringTables();
    }

    /// <summary>Adds the tables alone, for a caller that has a data source of its own.</summary>
    public static IServiceCollection AddMonitoringTables(this IServiceCollection services)
    {
        DapperConventions.Apply();
        services.AddSingleton<ChangeMarks>();
        services.AddSingleton<SchemaVersions>();
        services.AddSingleton<DayPartitions>();
        services.AddSingleton<CursorKey>();
        services.AddSingleton<MonitorTable>();
        services.AddSingleton<CheckRuns>();
        services.AddSingleton<SecurityEvents>();
        services.AddSingleton<SecurityEventChanges>();
        services.AddSingleton<NotificationTable>();
        services.AddSingleton<ChannelTests>();
        services.AddSingleton<NotificationClaims>();
        services.AddSingleton<NotificationChannelTable>();
        services.AddSingleton<OperatorActions>();
        services.AddSingleton<Silences>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<AuditLog>();
        services.AddObservationTable<HlpVaultSnapshots>();
        services.AddObservationTable<HlpVaultComponents>();
        services.AddObservationTable<HlpVaultInventory>();
        services.AddObservationTable<OracleDeviations>();
        services.AddObservationTable<Liquidations>();
        services.AddObservationTable<LiquidationPatterns>();
        services.AddObservationTable<LiquidationSources>();
        return services;
    }

    /// <summary>A pooled data source; of several hosts the primary one is used unless the string says otherwise.</summary>
    public static NpgsqlDataSource CreateDataSource(NpgsqlConnectionStringBuilder connection)
    {
        DapperConventions.Apply();
        connection = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { NoResetOnClose = true, MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2 };
        if (connection.Host?.Contains(',') != true)
            return new NpgsqlDataSourceBuilder(connection.ConnectionString).Build();

        var wanted = connection.TargetSessionAttributes is { } name && Enum.TryParse<TargetSessionAttributes>(name.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var given)
            ? given
            : TargetSessionAttributes.Primary;
        var single = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { TargetSessionAttributes = null };
        return new NpgsqlDataSourceBuilder(single.ConnectionString).BuildMultiHost().WithTargetSession(wanted);
    }

    private static void AddObservationTable<T>(this IServiceCollection services) where T : class, IObservationTable
    {
        services.AddSingleton<T>();
        services.AddSingleton<IObservationTable>(provider => provider.GetRequiredService<T>());
    }
}
