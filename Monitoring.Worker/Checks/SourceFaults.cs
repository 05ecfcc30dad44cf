using Monitoring.Data.Database;

namespace Monitoring.Worker.Checks;

/// <summary>A source did not answer in time, was in trouble or asked us to wait. Trying again may help.</summary>
internal sealed class SourceUnavailableException(string message, Exception? cause = null, TimeSpan? retryAfter = null)
    : Exception(message, cause)
{
    /// <summary>How long the source asked us to wait, if it did.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>A source answered, but without usable data. This is a failed check, never a value of zero.</summary>
internal sealed class MissingDataException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>What was seen all the same: too little for any verdict, but stored.</summary>
    public IReadOnlyList<Observation> Seen { get; init; } = [];
}
