using System.Collections.ObjectModel;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Something that is checked on a schedule. It fetches, maps and applies its rules; scheduling, deadlines and recording are the engine's.
/// One type may run as several instances, each with a <see cref="MonitorSchedule"/> of its own.
/// </summary>
internal interface IMonitor
{
    /// <summary>
    /// Looks once. Throws where the source gave no usable data: the engine records the failure with the exception's message.
    /// </summary>
    Task<CheckReport> CheckAsync(CheckContext context);
}

/// <summary>
/// What a successful check saw and concluded. <paramref name="Unjudged"/> names the fingerprints that could not be
/// judged for want of data: their absence from the findings does not speak for their end. An entry that ends with
/// <c>*</c> names all fingerprints that begin like it.
/// </summary>
internal sealed record CheckReport(IReadOnlyList<Observation> Observations, IReadOnlyList<Finding> Findings, IReadOnlyList<string> Unjudged)
{
    /// <summary>What was read of sources that are read on from where the last check ended.</summary>
    public IReadOnlyList<SourceProgress> Readings { get; init; } = [];

    /// <summary>
    /// Why what is not found any more is over, by fingerprint, where the source says so itself: an event that ends with this check ends
    /// with that word.
    /// </summary>
    public IReadOnlyDictionary<string, string> Endings { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// The newest values of the measures of what was judged and not found, by fingerprint: an event that ends with this check says what is
    /// so now. An entry that ends with <c>*</c> stands for all that begin like it and have none of their own.
    /// </summary>
    public IReadOnlyDictionary<string, decimal> Measured { get; init; } = ReadOnlyDictionary<string, decimal>.Empty;
}
