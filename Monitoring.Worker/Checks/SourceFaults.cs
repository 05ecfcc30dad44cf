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

/// <summary>
/// A wait of our own, such as that for a source's request budget, was cut off by the end of the time that it had. The message says what was
/// waited for, for it would be wrong to say that the source did not answer.
/// </summary>
internal sealed class WaitCutOffException(string message, CancellationToken cancellationToken)
    : OperationCanceledException(message, cancellationToken);

/// <summary>Puts the end of an attempt into words.</summary>
internal static class SourceFaultWords
{
    /// <summary>Why there is no answer: a cancellation says nothing by itself, so it is told what time was given.</summary>
    public static string Reason(this Exception fault, TimeSpan? most = null) => fault switch
    {
        WaitCutOffException => fault.Message,
        OperationCanceledException when most is { } given => $"no answer within {given.TotalSeconds:0.#} s",
        OperationCanceledException => "no answer within the check's time",
        _ => fault.Message,
    };
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
