using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;

namespace Monitoring.Api.Http;

/// <summary>
/// Times and decimals as the answers write them, straight into UTF-8: they are most of what a page of rows consists of. Format strings give
/// the same text at many times the cost.
/// </summary>
internal static class JsonText
{
    private const int MaxLength = 64;
    private const int Microseconds = 26; // of "2026-11-21T09:00:00.1234567Z", up to the last digit that is written

    /// <summary>Writes a time to the microsecond, without trailing zeros.</summary>
    public static void WriteTime(this Utf8JsonWriter json, DateTime utc)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        json.WriteStringValue(text[..Format(utc, text)]);
    }

    /// <summary>The time's text; answers its length.</summary>
    internal static int Format(DateTime utc, Span<byte> text)
    {
        utc.TryFormat(text, out _, "O", CultureInfo.InvariantCulture);
        var length = text[..Microseconds].TrimEnd((byte)'0').Length;
        if (text[length - 1] == '.')
            length--;
        text[length++] = (byte)'Z';
        return length;
    }

    /// <summary>
    /// Writes a number without trailing zeros: numeric keeps the scale it was stored with, and 71.0000 says no more than 71.
    /// </summary>
    public static void WriteDecimal(this Utf8JsonWriter json, decimal value)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        json.WriteRawValue(text[..Format(value, text)], skipInputValidation: true);
    }

    /// <summary>The number's text; answers its length.</summary>
    internal static int Format(decimal value, Span<byte> text)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var (digits, scale) = (((ulong)(uint)bits[1] << 32) | (uint)bits[0], (int)value.Scale);
        if (bits[2] != 0)
            return FormatLarge(value, text);
        while (scale > 0 && digits % 10 == 0)
            (digits, scale) = (digits / 10, scale - 1);

        var length = 0;
        if (value < 0)
            text[length++] = (byte)'-';
        if (scale == 0)
        {
            Utf8Formatter.TryFormat(digits, text[length..], out var whole);
            return length + whole;
        }

        // The digits with zeros in front, so that one stands before the point; the point goes between.
        Utf8Formatter.TryFormat(digits, text[(length + 1)..], out var written, new System.Buffers.StandardFormat('D', (byte)(scale + 1)));
        var point = length + written - scale;
        text.Slice(length + 1, written - scale).CopyTo(text[length..]);
        text[point] = (byte)'.';
        return length + written + 1;
    }

    // More digits than 64 bits hold.
    private static int FormatLarge(decimal value, Span<byte> text)
    {
        value.TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        if (value.Scale == 0)
            return length;
        length = text[..length].TrimEnd((byte)'0').Length;
        return text[length - 1] == '.' ? length - 1 : length;
    }
}
