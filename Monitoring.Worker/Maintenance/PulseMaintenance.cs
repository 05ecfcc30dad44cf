using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Data.Workers;

namespace Monitoring.Worker.Maintenance;

/// <summary>At the start and once an hour: forgets workers that were not seen for a day.</summary>
internal sealed partial class PulseMaintenance(WorkerPulses pulses, Supervisor supervisor, ILogger<PulseMaintenance> logger)
    : SupervisedService(supervisor)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("removal of old pulses", async stopping =>
    {
        try
        {
            await DatabaseDeadline.HoldAsync(pulses.RemoveUnseenAsync, Deadline, stopping);
            return Every;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            LogNotRemoved(DatabaseFaults.Describe(fault)); // nothing depends on it, and who writes results says that none can be written
            return RetryEvery;
        }
    })];

    [LoggerMessage(LogLevel.Debug, "old pulses are not removed, it is tried again in a minute: {Error}")]
    private partial void LogNotRemoved(string error);
}
