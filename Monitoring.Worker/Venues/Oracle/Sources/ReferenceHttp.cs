using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Http;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>Asks a source once: there is no second attempt, because the next check comes soon and the other sources are there.</summary>
internal sealed class ReferenceHttp(HttpClient http)
{
    private const int MostBytes = 4 << 20; // Binance's list of all books, the largest, has about half a megabyte

    /// <summary>The parsed answer of a path; the caller disposes it. Null for 404 where <paramref name="mayBeUnknown"/>.</summary>
    public async Task<JsonDocument?> GetAsync(string path, bool mayBeUnknown, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (mayBeUnknown && response.StatusCode == System.Net.HttpStatusCode.NotFound)
                return null;
            if (!response.IsSuccessStatusCode)
                throw new SourceUnavailableException(SourceHttp.FindRedirect(response) ?? $"HTTP {(int)response.StatusCode}");
            return Parse(await SourceHttp.ReadAsync(response, MostBytes, cancellationToken));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw new SourceUnavailableException(fault.Message, fault);
        }
    }

    private static JsonDocument Parse(byte[] answer)
    {
        try
        {
            return JsonDocument.Parse(Utf8.IsValid(answer) ? answer : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(answer)));
        }
        catch (JsonException fault)
        {
            throw new MissingDataException($"the answer is no JSON: {SourceHttp.Describe(fault, answer)}", fault);
        }
    }
}

/// <summary>
/// The books of one answer, by symbol. Each is read by itself: one that cannot be read, or is there twice, is so alone.
/// </summary>
internal sealed class QuoteBook(IReadOnlyCollection<string> symbols)
{
    private readonly HashSet<string> _wanted = [.. symbols];
    private readonly Dictionary<string, ReferenceQuote> _quotes = [];

    /// <summary>What was read so far.</summary>
    public IReadOnlyDictionary<string, ReferenceQuote> Quotes => _quotes;

    /// <summary>Reads a book, if its symbol is one that was asked for.</summary>
    public void Add(string? symbol, Func<ReferenceQuote> read)
    {
        if (symbol is null || !_wanted.Contains(symbol))
            return;
        try
        {
            var quote = read();
            if (!_quotes.TryAdd(symbol, quote) && _quotes[symbol] != quote)
                _quotes[symbol] = ReferenceQuote.Unreadable("is there twice");
        }
        catch (MissingDataException fault)
        {
            _quotes[symbol] = ReferenceQuote.Unreadable(fault.Message);
        }
    }
}

/// <summary>Reads the sources' JSON strictly: a price is a decimal string.</summary>
internal static class ReferenceJson
{
    private const decimal LargestNumber = 1_000_000_000_000_000_000;


    /// <summary>A member that must be there.</summary>
    public static JsonElement Member(JsonElement element, string name, JsonValueKind kind) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) && member.ValueKind == kind
            ? member
            : throw new MissingDataException($"unexpected answer: no {name} of kind {kind}");

    /// <summary>The items of what must be a list.</summary>
    public static JsonElement.ArrayEnumerator Items(JsonElement element) => element.ValueKind == JsonValueKind.Array
        ? element.EnumerateArray()
        : throw new MissingDataException($"unexpected answer: a list was expected, not {element.ValueKind}");

    /// <summary>A text that must be there.</summary>
    public static string Text(JsonElement element, string name) => Text(Member(element, name, JsonValueKind.String));

    /// <summary>A text that may be missing or of another kind.</summary>
    public static string? FindText(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member)
        && member.ValueKind == JsonValueKind.String ? Text(member) : null;

    /// <summary>A member's name; of one with half a character in it, nothing that anybody asks for.</summary>
    public static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }

    // Half a character is as it was sent, with its escapes: it is no symbol and no number.
    private static string Text(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return text.GetRawText();
        }
    }

    /// <summary>A decimal string that must be there; empty counts as 0, which no book has.</summary>
    public static decimal Price(JsonElement element, string name) => Price(Member(element, name, JsonValueKind.String));

    /// <summary>A decimal string.</summary>
    public static decimal Price(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw new MissingDataException($"unexpected answer: a decimal string was expected, not {value.ValueKind}");
        var text = Text(value);
        return text.Length == 0 ? 0
            : decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out var price) && Math.Abs(price) <= LargestNumber ? price
            : throw new MissingDataException($"unexpected answer: '{OutsideName.Clean(text)}' is no decimal number");
    }
}
