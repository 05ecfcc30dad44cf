using System.Globalization;
using System.Text.Json;

namespace Monitoring.Api.Security;

/// <summary>The values of an evidence by name, as far as they are there and of the form that is asked for.</summary>
internal readonly struct EvidenceValues(JsonElement values)
{
    /// <summary>A text, or null.</summary>
    public string? Text(string name) =>
        values.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The texts of a list; empty without one.</summary>
    public IEnumerable<string> Texts(string name) => values.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
        ? list.EnumerateArray().Select(item => item.GetString()).OfType<string>() : [];

    /// <summary>A number, or null.</summary>
    public double? Number(string name) => values.TryGetProperty(name, out var value) && value.TryGetDouble(out var number) ? number : null;

    /// <summary>A moment, or null.</summary>
    public DateTimeOffset? Time(string name) =>
        DateTimeOffset.TryParse(Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
}
