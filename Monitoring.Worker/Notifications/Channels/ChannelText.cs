using System.Globalization;
using System.Text;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>Makes any text fit for a message: bounded, and escaped as its channel asks.</summary>
internal static class ChannelText
{
    /// <summary>Stands where a text was cut.</summary>
    public const string CutMark = "…";

    /// <summary>
    /// At most <paramref name="limit"/> characters (UTF-16), with a mark where it was cut; what is seen as
    /// one character stays whole.
    /// </summary>
    public static string Cut(string text, int limit) => Escape(text, limit, _ => null);

    /// <summary>
    /// The same with characters escaped, those that <paramref name="escape"/> has another text for; the limit counts
    /// what comes out, and no escape is cut in two.
    /// </summary>
    public static string Escape(string text, int limit, Func<char, string?> escape)
    {
        var escaped = new StringBuilder(Math.Min(text.Length, limit));
        var cutAt = 0; // where the mark still fits
        for (var elements = StringInfo.GetTextElementEnumerator(text); elements.MoveNext();)
        {
            var element = string.Concat(elements.GetTextElement().Select(character => escape(character) ?? character.ToString()));
            if (escaped.Length + element.Length > limit)
                return escaped.ToString(0, cutAt).TrimEnd() + CutMark;
            escaped.Append(element);
            if (escaped.Length <= limit - CutMark.Length)
                cutAt = escaped.Length;
        }

        return escaped.ToString();
    }

    /// <summary>
    /// As many of the lines, from the first, as fit into <paramref name="limit"/> characters, joined by line feeds;
    /// where some are left out, a last line says so: <paramref name="rest"/> of the number taken.
    /// </summary>
    public static string Fit(IReadOnlyList<string> lines, int limit, Func<int, string> rest)
    {
        if (lines.Sum(line => line.Length + 1) - 1 <= limit)
            return string.Join('\n', lines);
        var (taken, length) = (0, 0);
        for (var i = 1; i < lines.Count && (length += lines[i - 1].Length + 1) < limit; i++)
            if (length + rest(i).Length <= limit)
                taken = i;
        return string.Join('\n', [.. lines.Take(taken), rest(taken)]);
    }
}
