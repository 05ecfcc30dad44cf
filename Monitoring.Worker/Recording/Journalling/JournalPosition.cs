using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>
/// The file that says up to which record the database has everything. It is not flushed: an old position only means
/// that records are written again, which changes nothing.
/// </summary>
internal static class JournalPosition
{
    private const int Length = 19;

    /// <summary>The position, 0 where there is none or it is damaged.</summary>
    public static long Read(SafeFileHandle handle)
    {
        Span<byte> text = stackalloc byte[Length + Length + 2];
        if (RandomAccess.Read(handle, text, 0) < text.Length)
            return 0;
        // Written twice: one that was half written is none.
        var first = text[..Length];
        return first.SequenceEqual(text.Slice(Length + 1, Length))
            && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : 0;
    }

    /// <summary>Replaces the position.</summary>
    public static void Write(SafeFileHandle handle, long position) =>
        RandomAccess.Write(handle, Encoding.ASCII.GetBytes($"{position:D19} {position:D19}\n"), 0);
}
