using Monitoring.Worker.Events;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Recording;

/// <summary>What recording consists of.</summary>
internal static class RecordingServices
{
    /// <summary>Adds the pipeline that records into a database, with its journal there.</summary>
    public static IServiceCollection AddRecording(this IServiceCollection services, JournalOptions journal)
    {
        services.AddSingleton(journal).AddSingleton<RecordingQueue>().AddSingleton<DatabaseLink>().AddSingleton<DatabaseRecorder>();
        services.AddSingleton<DatabaseClock>().AddSingleton<ResultTimes>();
        services.AddSingleton<EventSnapshot>().AddSingleton<EventSnapshotFile>().AddSingleton<EventSnapshotRefresh>();
        services.AddSingleton<OutageNotifier>().AddSingleton<RecordingHealth>().AddSingleton<RecordingPipeline>();
        services.AddSingleton<IRecorder>(provider => provider.GetRequiredService<RecordingPipeline>());
        return services.AddHostedService(provider => provider.GetRequiredService<RecordingPipeline>());
    }

    /// <summary>Adds the recorder of a worker without a database.</summary>
    public static IServiceCollection AddRecordingWithoutDatabase(this IServiceCollection services) =>
        services.AddSingleton<EventSnapshot>().AddSingleton<IRecorder, MemoryRecorder>();
}
