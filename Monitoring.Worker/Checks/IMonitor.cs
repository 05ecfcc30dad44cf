using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Worker.Checks;

/// <summary>Something that is checked on a schedule. It fetches, maps and applies its rules; scheduling, deadlines and recording are the engine's.</summary>
internal interface IMonitor
{
    /// <summary>The name in the ledger, such as <c>hlp-vault</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Looks once. <paramref name="scheduledAt"/> keys what is stored. Throws where the source gave no usable data: the engine records
    /// the failure with the exception's message.
    /// </summary>
    Task<CheckReport> CheckAsync(DateTimeOffset scheduledAt, CancellationToken cancellationToken);
}

/// <summary>
/// What a successful check saw and concluded. <paramref name="Unjudged"/> names the fingerprints that could not be judged for want of data:
/// their absence from the findings does not speak for their end. An entry that ends with <c>*</c> names all fingerprints that begin like it.
/// </summary>
internal sealed record CheckReport(IReadOnlyList<Observation> Observations, IReadOnlyList<Finding> Findings, IReadOnlyList<string> Unjudged)
{
    /// <summary>What was read of sources that are read on from where the last check ended.</summary>
    public IReadOnlyList<SourceReading> Readings { get; init; } = [];
}

/// <summary>A monitor and how often it runs.</summary>
internal sealed record MonitorSchedule(IMonitor Monitor, TimeSpan Interval)
{
    /// <summary>How long one check may take: its interval, but between 5 s and 60 s.</summary>
    public TimeSpan Deadline => TimeSpan.FromSeconds(Math.Clamp(Interval.TotalSeconds, 5, 60));

    /// <summary>The newest grid time at or before a moment: whole multiples of the interval since the Unix epoch.</summary>
    public DateTimeOffset GridTime(DateTimeOffset at) => GridTime(Interval, at);

    /// <summary>The same of any interval.</summary>
    public static DateTimeOffset GridTime(TimeSpan interval, DateTimeOffset at) => new(at.UtcTicks - ((at.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) % interval.Ticks), TimeSpan.Zero);
}
