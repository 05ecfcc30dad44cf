using System.Text;

namespace Monitoring.Data.Logging;

/// <summary>
/// Makes any text fit to be shown: names come from outside, and one with an escape sequence or a change of direction shows other than it
/// reads.
/// </summary>
public static class PlainText
{
    /// <summary>
    /// The text as one line: white space and control characters are one space, direction-changing and invisible characters and broken
    /// surrogates are gone.
    /// </summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune))
                line.Append(line.Length == 0 || line[^1] == ' ' ? "" : " ");
            else if (!IsUnseen(rune.Value) && rune != Rune.ReplacementChar)
                line.Append(rune);
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>The same of each of its lines, which keep their indentation.</summary>
    public static string Lines(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n')
        .Select(line => new string(' ', line.Length - line.TrimStart(' ').Length) + OneLine(line)));

    // Embeddings, overrides and isolates of writing direction with their marks, and what has no width.
    private static bool IsUnseen(int rune) =>
        rune is >= 0x202A and <= 0x202E or >= 0x2060 and <= 0x206F or >= 0x200B and <= 0x200C or 0x200E or 0x200F or 0x061C or 0xFEFF;
}
