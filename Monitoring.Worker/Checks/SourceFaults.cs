using Monitoring.Data.Database;
using Monitoring.Data.Subjects;

namespace Monitoring.Worker.Checks;

/// <summary>A source did not answer in time, was in trouble or asked us to wait. Trying again may help.</summary>
internal sealed class SourceUnavailableException(string message, Exception? cause = null, TimeSpan? retryAfter = null)
    : Exception(SourceFaults.Clean(message), cause)
{
    /// <summary>How long the source asked us to wait, if it did.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>A source answered, but without usable data. This is a failed check, never a value of zero.</summary>
internal sealed class MissingDataException(string message, Exception? cause = null) : Exception(SourceFaults.Clean(message), cause)
{
    /// <summary>What was seen all the same: too little for any verdict, but stored.</summary>
    public IReadOnlyList<Observation> Seen { get; init; } = [];
}

/// <summary>What is said of a source's fault may quote what the source sent, so it is made fit before anybody reads or stores it.</summary>
internal static class SourceFaults
{
    private const int MostCharacters = 1000;

    public static string Clean(string message) => OutsideName.CleanText(message, MostCharacters);
}
