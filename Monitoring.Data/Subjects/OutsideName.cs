using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Monitoring.Data.Subjects;

/// <summary>
/// Names and texts that others chose (coins, exchanges, tokens, labels, what a source says), made fit where they come in: nothing in them
/// may hide or reverse a text, break a row or fill a screen.
/// </summary>
public static class OutsideName
{
    /// <summary>A name has so many characters at most.</summary>
    public const int MaxLength = 64;

    private const int KeptLength = 55;
    private const int HashDigits = 8;

    private static long _cleaned;

    /// <summary>How many names were not fit since this process began.</summary>
    public static long Cleaned => Interlocked.Read(ref _cleaned);

    /// <summary>
    /// A name as it is where it is fit; else its cleaned text with a mark of the raw one behind it, so that two bad names stay two.
    /// </summary>
    public static string Clean(string raw)
    {
        if (raw.Length is > 0 and <= MaxLength && IsFit(raw))
            return raw;
        Interlocked.Increment(ref _cleaned);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(raw)))[..HashDigits];
        return $"{CleanText(raw, KeptLength)}~{hash}";
    }

    /// <summary>The first so many characters of a text, without those that are not fit.</summary>
    public static string CleanText(string raw, int most)
    {
        if (raw.Length <= most && IsFit(raw))
            return raw;
        var text = new StringBuilder(Math.Min(raw.Length, most));
        foreach (var rune in raw.EnumerateRunes())
        {
            if (text.Length + rune.Utf16SequenceLength > most)
                break;
            if (IsFit(rune))
                text.Append(rune);
        }

        return text.ToString();
    }

    private static bool IsFit(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, i, out var rune) || !IsFit(rune)) // half of a pair is no character
                return false;
            i += rune.Utf16SequenceLength;
        }

        return true;
    }

    // Format covers all that sets a direction or has no width.
    private static bool IsFit(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
