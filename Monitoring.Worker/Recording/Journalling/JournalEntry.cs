using System.Text.Json;
using System.Text.Json.Serialization;
using Monitoring.Data.Events;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>What a record of the journal says.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "entry")]
[JsonDerivedType(typeof(ResultEntry), "result")]
[JsonDerivedType(typeof(OutageEntry), "outage")]
[JsonDerivedType(typeof(AttemptEntry), "attempt")]
[JsonDerivedType(typeof(DeliveryEntry), "delivery")]
internal abstract record JournalEntry
{
    /// <summary>The content of its record.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, CheckResult.Json);

    /// <summary>Reads a record's content.</summary>
    /// <exception cref="JsonException">When another version of this program wrote it in a way that this one does not know.</exception>
    public static JournalEntry Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<JournalEntry>(json, CheckResult.Json) ?? throw new JsonException("the record says null");
}

/// <summary>A check's result that the database is to store.</summary>
internal sealed record ResultEntry(CheckResult Result) : JournalEntry
{
    /// <summary>What it is, in a log line.</summary>
    public override string ToString() => $"the result of {Result.Run.Monitor} of {Result.Run.ScheduledAt:O}";
}

/// <summary>The database went away, with these events open or resolved not long before.</summary>
internal sealed record OutageEntry(
    DateTimeOffset Since, [property: JsonPropertyName("open")] IReadOnlyList<SecurityEvent> Known) : JournalEntry
{
    /// <summary>What it is, in a log line.</summary>
    public override string ToString() => $"the beginning of the outage of {Since:O}";
}

/// <summary>
/// A message is about to go to a channel without the database: whoever repeats it repeats it whole and under its id. It comes after the
/// results whose notifications it holds.
/// </summary>
internal sealed record AttemptEntry(Guid MessageId, IReadOnlyList<Guid> NotificationIds, string Channel) : JournalEntry
{
    /// <summary>What it is, in a log line.</summary>
    public override string ToString() => $"the attempt to send {MessageId} to {Channel}";
}

/// <summary>
/// A message went to a channel without the database. It comes after the results whose notifications it holds. One without any was claimed
/// in the database, which went away before it could be marked there.
/// </summary>
internal sealed record DeliveryEntry(
    Guid MessageId, IReadOnlyList<Guid> NotificationIds, string Channel, DateTimeOffset DeliveredAt) : JournalEntry
{
    /// <summary>What it is, in a log line.</summary>
    public override string ToString() => $"the delivery of {DeliveredAt:O} to {Channel}";
}
