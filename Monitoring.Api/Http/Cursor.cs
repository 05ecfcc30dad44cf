using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Monitoring.Api.Http;

/// <summary>Positions in a list as opaque text.</summary>
internal static class Cursor
{
    private const int MaxLength = 200;

    public static string Encode(params object[] parts) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join('|', parts.Select(part => part is DateTimeOffset at ? at.UtcTicks.ToString(CultureInfo.InvariantCulture) : $"{part}"))));

    /// <summary>The parts, or null when the text is none of ours.</summary>
    public static string[]? Decode(string text)
    {
        if (text.Length is 0 or > MaxLength || !Base64Url.IsValid(text))
            return null;
        return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('|');
    }

    /// <summary>A time as <see cref="Encode"/> wrote it.</summary>
    public static DateTimeOffset? ParseTime(string part) =>
        part.All(char.IsAsciiDigit) && long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && ticks <= DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : null;
}
