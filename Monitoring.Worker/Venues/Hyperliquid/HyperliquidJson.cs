using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Monitoring.Data.Subjects;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// Reads the venue's JSON strictly: money is a decimal string, what we decide by must be there, unknown fields are let pass. Of a list,
/// what cannot be read is left out by its name.
/// </summary>
internal static class HyperliquidJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters =
        {
            new DecimalStringConverter(), new PortfolioConverter(), new MarketsConverter(), new ChildrenConverter(),
            new ReadableListConverter<AssetPosition>("assetPositions",
                element => element.ValueKind == JsonValueKind.Object && element.TryGetProperty("position", out var position)
                    ? FindText(position, "coin") : null,
                held => held.Position.FindFault()),
            new ReadableListConverter<Fill>("fills",
                element => FindText(element, "coin") is { } coin ? $"{coin} {FindNumber(element, "tid")}" : null, fill => fill.FindFault()),
            new ReadableListConverter<LedgerUpdate>("ledger",
                element => FindText(element, "hash") is { } hash ? $"{FindNumber(element, "time")} {hash}" : null,
                update => IsTime(update.Time) ? null : $"{update.Time} is no time"),
            new ReadableListConverter<Feed.FeedTrade>("trades", element => FindText(element, "coin"), trade => trade.FindFault()),
        },
    };

    // No account and no price of the world is as large; what is, cannot be reckoned with either.
    private const decimal LargestMoney = 100_000_000_000_000;

    private const long EndOfTime = 253_402_300_800_000;

    private static readonly string[] Missing = ["was missing required properties including: "];

    /// <summary>A decimal string.</summary>
    /// <exception cref="JsonException">It is none, or no amount that can be.</exception>
    public static decimal ParseMoney(string? text) =>
        decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out var value)
            ? Math.Abs(value) <= LargestMoney ? value : throw new JsonException($"{OutsideName.Clean(text!)} is more than can be")
            : throw new JsonException($"'{OutsideName.Clean(text ?? "")}' is no decimal number");

    /// <summary>Whether milliseconds since 1970 are a moment.</summary>
    public static bool IsTime(long milliseconds) => milliseconds is > 0 and < EndOfTime;

    /// <summary>Whether the text itself is at fault: the reader refuses its shape, or half a character in it.</summary>
    public static bool IsOfTheText(Exception fault) => fault is JsonException or InvalidOperationException;

    /// <summary>A text, also where half a character is in it; null where it is none.</summary>
    public static string? FindText(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return element.GetRawText(); // as it was sent, with its escapes
        }
    }

    /// <summary>A member's text; null where there is none.</summary>
    public static string? FindText(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? FindText(member) : null;

    /// <summary>What is wrong, in a few words and without the reader's own positions.</summary>
    public static string Describe(Exception fault)
    {
        var text = fault.Message.Split(" Path: $")[0];
        foreach (var missing in Missing)
            if (text.IndexOf(missing, StringComparison.Ordinal) is >= 0 and var at)
                text = $"without {text[(at + missing.Length)..]}";
        return OutsideName.CleanText(text, 200);
    }

    private static string FindNumber(JsonElement element, string name) =>
        element.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Number ? member.GetRawText() : "?";

    private sealed class DecimalStringConverter : JsonConverter<decimal>
    {
        public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String
                ? ParseMoney(reader.GetString())
                : throw new JsonException($"a decimal string was expected, not {reader.TokenType}");

        public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }
}

/// <summary>Reads a name that others chose, and makes it fit.</summary>
internal sealed class OutsideNameConverter : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw new JsonException($"a name was expected, not {reader.TokenType}");
        try
        {
            return OutsideName.Clean(reader.GetString()!);
        }
        catch (InvalidOperationException) // half a character: as it was sent, with its escapes
        {
            return OutsideName.Clean(Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
