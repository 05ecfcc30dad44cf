using System.Globalization;
using System.Text.Json;
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
            return JsonDocument.Parse(answer);
        }
        catch (JsonException fault)
        {
            throw new MissingDataException($"the answer is no JSON: {SourceHttp.Describe(fault, answer)}", fault);
        }
    }
}

/// <summary>Reads the sources' JSON strictly: a price is a decimal string.</summary>
internal static class ReferenceJson
{
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
    public static string Text(JsonElement element, string name) => Member(element, name, JsonValueKind.String).GetString()!;

    /// <summary>A decimal string that must be there; empty counts as 0, which no book has.</summary>
    public static decimal Price(JsonElement element, string name) => Price(Member(element, name, JsonValueKind.String));

    /// <summary>A decimal string.</summary>
    public static decimal Price(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw new MissingDataException($"unexpected answer: a decimal string was expected, not {value.ValueKind}");
        var text = value.GetString()!;
        return text.Length == 0 ? 0
            : decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out var price) ? price
            : throw new MissingDataException($"unexpected answer: '{text}' is no decimal number");
    }
}
