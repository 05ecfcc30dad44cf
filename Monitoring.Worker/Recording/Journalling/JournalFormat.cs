using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Text;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>A stretch of a journal file.</summary>
internal abstract record JournalPiece(int Offset, int Length);

/// <summary>A record whose checksum is right. Its content is JSON.</summary>
internal sealed record WholeRecord(
    int Offset, int Length, long Sequence, DateTimeOffset At, int ContentOffset, int ContentLength) : JournalPiece(Offset, Length);

/// <summary>
/// Bytes that are no whole record. <paramref name="Torn"/>: the beginning of a record whose writing was cut
/// short, at the end of the file.
/// </summary>
internal sealed record BrokenStretch(int Offset, int Length, bool Torn) : JournalPiece(Offset, Length);

/// <summary>
/// One record: the byte 0x1E, then <c>checksum sequence milliseconds length content</c> with single spaces, then a line
/// feed. The checksum is the CRC-32C of all between it and the line feed, as eight hexadecimal digits. Neither 0x1E nor
/// a line feed occurs in JSON text, so the next record is found after any damage.
/// </summary>
internal static class JournalFormat
{
    public const byte Begin = 0x1E;
    public const byte End = 0x0A;

    private const int ChecksumLength = 8;
    private const int ShortestRecord = 1 + ChecksumLength + 8;

    /// <summary>The bytes of one record.</summary>
    public static byte[] Encode(long sequence, DateTimeOffset at, ReadOnlySpan<byte> content)
    {
        var head = Encoding.ASCII.GetBytes($" {sequence} {at.ToUnixTimeMilliseconds()} {content.Length} ");
        var record = new byte[1 + ChecksumLength + head.Length + content.Length + 1];
        record[0] = Begin;
        head.CopyTo(record.AsSpan(1 + ChecksumLength));
        content.CopyTo(record.AsSpan(1 + ChecksumLength + head.Length));
        record[^1] = End;
        WriteChecksum(record.AsSpan((1 + ChecksumLength)..^1), record.AsSpan(1, ChecksumLength));
        return record;
    }

    /// <summary>Everything that a file holds, in order and without a hole: whole records, and what lies between them.</summary>
    public static IReadOnlyList<JournalPiece> Scan(ReadOnlySpan<byte> file)
    {
        var pieces = new List<JournalPiece>();
        var at = 0;
        while (at < file.Length)
        {
            if (ReadAt(file, at) is { } record)
            {
                pieces.Add(record);
                at += record.Length;
                continue;
            }

            var end = at + 1;
            while (end < file.Length && ReadAt(file, end) is null)
                end = file[(end + 1)..].IndexOf(Begin) is var next and >= 0 ? end + 1 + next : file.Length;
            pieces.Add(new BrokenStretch(at, end - at, Torn: end == file.Length && IsTorn(file[at..])));
            at = end;
        }

        return pieces;
    }

    /// <summary>
    /// The record that begins here, if one does and its checksum is right. Its line feed may be missing: the
    /// content is proven without it.
    /// </summary>
    public static WholeRecord? ReadAt(ReadOnlySpan<byte> file, int at)
    {
        var rest = file[at..];
        if (rest.Length < ShortestRecord || rest[0] != Begin)
            return null;
        var proven = rest[(1 + ChecksumLength)..];
        var read = 0;
        if (!TryReadNumber(proven, ref read, out var sequence) || !TryReadNumber(proven, ref read, out var milliseconds)
            || !TryReadNumber(proven, ref read, out var length) || read >= proven.Length || proven[read++] != ' '
            || length < 0 || length > proven.Length - read)
            return null;

        var end = read + (int)length;
        Span<byte> checksum = stackalloc byte[ChecksumLength];
        WriteChecksum(proven[..end], checksum);
        if (!rest.Slice(1, ChecksumLength).SequenceEqual(checksum))
            return null;
        var ended = end < proven.Length && proven[end] == End;
        var contentOffset = at + 1 + ChecksumLength + read;
        return new WholeRecord(at, contentOffset - at + (int)length + (ended ? 1 : 0), sequence,
            DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), contentOffset, (int)length);
    }

    // A record is written in one piece, its line feed last: a cut one has its beginning and not its end. After a loss
    // of power its place may hold zeros.
    private static bool IsTorn(ReadOnlySpan<byte> tail) => (tail[0] == Begin && !tail.Contains(End)) || tail.IndexOfAnyExcept((byte)0) < 0;

    private static bool TryReadNumber(ReadOnlySpan<byte> text, ref int read, out long number)
    {
        number = 0;
        if (read >= text.Length || text[read] != ' ' || !Utf8Parser.TryParse(text[(read + 1)..], out number, out var digits))
            return false;
        read += 1 + digits;
        return true;
    }

    private static void WriteChecksum(ReadOnlySpan<byte> bytes, Span<byte> hexadecimal)
    {
        var checksum = uint.MaxValue;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var last in bytes)
            checksum = BitOperations.Crc32C(checksum, last);
        Utf8Formatter.TryFormat(~checksum, hexadecimal, out _, new('x', ChecksumLength));
    }
}
