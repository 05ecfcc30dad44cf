using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Recording;

/// <summary>What the pipeline's loop does in a worker, one step at a time.</summary>
internal static class RecordingSteps
{
    /// <summary>Records a result, and writes what waits as far as the database takes it.</summary>
    public static Task RecordAsync(this RecordingPipeline recorder, CheckResult result, CancellationToken cancellationToken)
    {
        recorder.Record(result);
        return recorder.DrainAsync(cancellationToken);
    }
}
