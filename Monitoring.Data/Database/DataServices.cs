using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Access;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Subjects;
using Monitoring.Data.Workers;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>Registers the data source and every table of this project.</summary>
public static class DataServices
{
    /// <summary>Adds the data source for <paramref name="database"/> and the classes that hold the SQL.</summary>
    public static IServiceCollection AddMonitoringData(this IServiceCollection services, DatabaseOptions database)
    {
        services.AddSingleton(database).AddSingleton<ChannelListener>();
        services.AddSingleton(provider => new DatabaseConnections(
            database, provider.GetService<ILoggerFactory>()?.CreateLogger(typeof(DatabaseConnections))));
        return services.AddMonitoringTables();
    }

    /// <summary>Adds the tables alone, for a caller that has a data source of its own.</summary>
    public static IServiceCollection AddMonitoringTables(this IServiceCollection services)
    {
        DapperConventions.Apply();
        services.TryAddSingleton<DatabaseConnections>(provider => provider.GetRequiredService<NpgsqlDataSource>());
        services.AddSingleton<UnreadableRows>();
        services.AddSingleton<ChangeMarks>();
        services.AddSingleton<SchemaVersions>();
        services.AddSingleton<DayPartitions>();
        services.AddSingleton<ServerClock>();
        services.AddSingleton<CursorKey>();
        services.AddSingleton<ServerSlots>();
        services.AddSingleton<SameDatabase>();
        services.AddSingleton<MonitorTable>();
        services.AddSingleton<CheckRuns>();
        services.AddSingleton<WorkerPulses>();
        services.AddSingleton<SourceCursors>();
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
        services.AddSingleton(DataSubjects.Rules);
        foreach (var subject in DataSubjects.All)
            services.AddSubject(subject);
        return services;
    }

    /// <summary>Adds the tables of one subject.</summary>
    public static IServiceCollection AddSubject(this IServiceCollection services, IDataSubject subject)
    {
        foreach (var (table, _, _, _) in subject.RowTables)
            services.AddSingleton(table).AddSingleton(provider => (IObservationTable)provider.GetRequiredService(table));
        subject.AddServices(services);
        return services;
    }
}
