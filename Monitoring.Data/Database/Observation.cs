using System.Text.Json.Serialization;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>A row that a check saw. Each kind is a table that a subject registers, and has a name of its own in JSON.</summary>
public abstract record Observation
{
    /// <summary>The time that decides about the row's partition, where that is not the check's own time.</summary>
    [JsonIgnore]
    public virtual DateTimeOffset? PartitionTime => null;

    /// <summary>
    /// The row of a check whose scheduled time turned out to be another one, because a clock was wrong; what has its time from its source
    /// keeps it.
    /// </summary>
    public virtual Observation At(DateTimeOffset scheduledAt) => this;
}

/// <summary>
/// What makes a row the same row. By its check: monitor and scheduled time are part of its key, so the ledger row of the check
/// decides and a second worker's rows change nothing. By its source: the venue's own key, so every worker's rows are kept once.
/// </summary>
public enum KeyedBy { Check, Source }

/// <summary>A table that the recorder fills: it picks its own rows out of a check's observations.</summary>
public interface IObservationTable
{
    /// <summary>What makes a row of this table the same row.</summary>
    KeyedBy KeyedBy { get; }

    /// <summary>
    /// Stores the rows of this table in a constant number of round trips; of two rows with one key the first stays. Answers the number of
    /// new rows. Rows that are keyed by their check are new, because its ledger row was: only with <paramref name="someAreThere"/> the
    /// table looks which are not, and leaves those as they are. Rows that are keyed by their source may always be there.
    /// </summary>
    Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken);
}
