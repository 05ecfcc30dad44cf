using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Watching;

/// <summary>
/// Something that is no monitor and can fail all the same, such as a live feed: whoever brings it, the watchdog looks at it and reports
/// what it finds.
/// </summary>
internal interface IWatchdogSource
{
    /// <summary>The rules that it judges by: their events stay as they are while looking fails.</summary>
    IReadOnlyList<Rule> Rules { get; }

    /// <summary>Fingerprints that it cannot judge, such as those of another machine: their events stay as they are.</summary>
    IReadOnlyList<string> Unjudged => [];

    /// <summary>What is wrong with it at a moment.</summary>
    Task<IReadOnlyList<Finding>> LookAsync(DateTimeOffset at, CancellationToken cancellationToken);
}
