using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Maintenance;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;
using Monitoring.Worker.Subjects;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Hosting;

/// <summary>Everything that the worker is configured by: the engine's settings, and each subject as its own settings make it.</summary>
internal sealed record WorkerOptions(
    DatabaseOptions Database, bool WithoutDatabase, EventOptions Events, WatchdogOptions Watchdog, RetentionOptions Retention,
    ChannelOptions Channels, JournalOptions Journal, NotificationOptions Notifications, IReadOnlyList<ISubjectSetup> Subjects)
{
    private static readonly string[] Sections =
        [DatabaseOptions.Section, "Monitors", "Events", "Rules", "Heartbeat", "Retention", "Notifications", "Log", "Journal"];

    /// <summary>The tables that are partitioned by day.</summary>
    public static readonly IReadOnlyList<string> KeptByDay =
        [CheckRuns.TableName,
            .. DataSubjects.All.SelectMany(subject => subject.RowTables).Where(table => table.IsKeptByDay).Select(table => table.Name)];

    /// <summary>What is said less loudly is not logged.</summary>
    public LogLevel LogLevel { get; private init; } = LogLevel.Information;

    /// <summary>Reads all settings.</summary>
    /// <exception cref="ConfigurationFaultException">With one line per fault.</exception>
    public static WorkerOptions Read(SettingsReader settings, bool withoutDatabase) => Read(settings, withoutDatabase, WorkerSubjects.All);

    /// <summary>Reads all settings of a worker with these subjects.</summary>
    /// <exception cref="ConfigurationFaultException">With one line per fault.</exception>
    public static WorkerOptions Read(SettingsReader settings, bool withoutDatabase, IReadOnlyList<IWorkerSubject> subjects)
    {
        var events = EventOptions.Read(settings);
        var channels = ChannelOptions.Read(settings);
        var options = new WorkerOptions(
            DatabaseOptions.Read(settings, "Monitoring.Worker"),
            withoutDatabase,
            events,
            WatchdogOptions.Read(settings),
            RetentionOptions.Read(settings, KeptByDay),
            channels,
            JournalOptions.Read(settings),
            NotificationOptions.Read(settings, channels, events.AlertMinSeverity),
            [.. subjects.Select(subject => subject.Read(settings))])
        {
            LogLevel = settings.Choice("Log:Level", "LOG_LEVEL", LogLevel.Information),
        };
        if (options.Database.Connection is null && !withoutDatabase && !settings.HasFault("DATABASE_URL"))
            settings.Refuse("DATABASE_URL", $"is not set; it must be {DatabaseUrl.Form}. Or run with --no-database");
        settings.Finish([.. Sections, .. subjects.SelectMany(subject => subject.Sections)]);
        return options;
    }
}
