using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monitoring.Data.Events;

/// <summary>
/// What an event is about: a <paramref name="Kind"/> of thing, such as a coin or a position, and its <paramref name="Id"/>; where that
/// alone does not tell it from others, also the <paramref name="Account"/> that holds it and the <paramref name="Network"/> that it is
/// on.
/// </summary>
[JsonConverter(typeof(EventSubjectConverter))]
public sealed record EventSubject(string Kind, string Id, string? Account = null, string? Network = null)
{
    /// <summary>A subject of which no more than the text is known.</summary>
    public static EventSubject Untyped(string text) => new("untyped", text);

    /// <summary>Its one text: network, account and id, as far as they are given. Fingerprints are made of it, and people read it.</summary>
    public string Text => (Network, Account) switch
    {
        (null, null) => Id,
        (null, _) => $"{Account}:{Id}",
        (_, null) => $"{Network}:{Id}",
        _ => $"{Network}:{Account}:{Id}",
    };

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>Writes a subject as its parts; reads also what was written when a subject was no more than a text.</summary>
internal sealed class EventSubjectConverter : JsonConverter<EventSubject>
{
    public override EventSubject Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return EventSubject.Untyped(reader.GetString()!);
        var parts = JsonSerializer.Deserialize<Parts>(ref reader, Snake);
        return parts is { Kind: { } kind, Id: { } id } ? new EventSubject(kind, id, parts.Account, parts.Network)
            : throw new JsonException("a subject has a kind and an id");
    }

    public override void Write(Utf8JsonWriter writer, EventSubject value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, new Parts(value.Kind, value.Id, value.Account, value.Network), Snake);

    private static readonly JsonSerializerOptions Snake = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private sealed record Parts(string? Kind, string? Id, string? Account, string? Network);
}
