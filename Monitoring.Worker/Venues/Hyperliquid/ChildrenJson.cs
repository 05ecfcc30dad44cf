using System.Text.Json;
using System.Text.Json.Serialization;
using Monitoring.Data.Subjects;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>Reads the addresses of a vault's components, in lower case and each once; what is no address is left out.</summary>
internal sealed class ChildrenConverter : JsonConverter<ReadableList<string>>
{
    private const int AddressLength = 42;

    public override ReadableList<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
            throw new JsonException($"childAddresses: a list was expected, not {document.RootElement.ValueKind}");
        var (addresses, unreadable) = (new List<string>(), new List<UnreadablePart>());
        foreach (var (index, element) in document.RootElement.EnumerateArray().Index())
            if (HyperliquidJson.FindText(element)?.ToLowerInvariant() is { } text && IsAddress(text))
                addresses.Add(text);
            else
                unreadable.Add(UnreadablePart.At("childAddresses", index,
                    $"'{OutsideName.Clean(HyperliquidJson.FindText(element) ?? element.ValueKind.ToString())}' is no address"));
        return new ReadableList<string>([.. addresses.Distinct()], unreadable);
    }

    public override void Write(Utf8JsonWriter writer, ReadableList<string> value, JsonSerializerOptions options) =>
        throw new NotSupportedException("the venue's answers are only read");

    private static bool IsAddress(string text) => text.Length == AddressLength && text.StartsWith("0x", StringComparison.Ordinal)
        && text.AsSpan(2).IndexOfAnyExceptInRange('0', 'f') < 0 && text.AsSpan(2).IndexOfAnyInRange(':', '`') < 0;
}
