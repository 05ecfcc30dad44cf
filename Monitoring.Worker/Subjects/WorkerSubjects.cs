using Monitoring.Worker.Venues;

namespace Monitoring.Worker.Subjects;

/// <summary>The subjects that this worker watches: a new one is one line here.</summary>
internal static class WorkerSubjects
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IWorkerSubject> All { get; } = [new VenuesWorker()];
}
