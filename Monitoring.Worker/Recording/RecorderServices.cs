using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Recording;

/// <summary>What the recorder of a worker with a database consists of.</summary>
internal static class RecorderServices
{
    /// <summary>Adds it, with its journal there; it is not started by that.</summary>
    public static IServiceCollection AddRecorder(this IServiceCollection services, JournalOptions journal) => services
        .AddSingleton(journal).AddSingleton<Backlog>().AddSingleton<RecorderCheck>().AddSingleton<DatabaseRecorder>().AddSingleton<QueueingRecorder>()
        .AddSingleton<KnownEvents>().AddSingleton<KnownEventsFile>().AddSingleton<EventsMirror>().AddSingleton<OtherHands>().AddSingleton<DirectSender>();
}
