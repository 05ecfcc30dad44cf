namespace Monitoring.Worker.Recording.Journalling;

/// <summary>What a journal's folder holds, read without touching it: also beside a running worker, and without a database.</summary>
internal sealed record JournalStatus(
    string Path, int Records, long Bytes, DateTimeOffset? Oldest, DateTimeOffset? Newest, int Damaged,
    IReadOnlyList<string> SetAside, bool InUse)
{
    /// <summary>Looks at the folder.</summary>
    /// <exception cref="IOException">When it cannot be read.</exception>
    public static JournalStatus Read(JournalOptions options)
    {
        var folder = new JournalFolder(options.Path);
        var drained = 0L;
        if (File.Exists(folder.PositionFile))
        {
            using var position = File.OpenHandle(folder.PositionFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            drained = JournalPosition.Read(position);
        }

        var (records, bytes, damaged) = (0, 0L, 0);
        DateTimeOffset? oldest = null, newest = null;
        foreach (var segment in folder.Segments)
        {
            var file = ReadWhileWritten(segment);
            bytes += file.Length;
            foreach (var piece in JournalFormat.Scan(file))
                if (piece is WholeRecord record && record.Sequence > drained)
                {
                    records++;
                    oldest ??= record.At;
                    newest = record.At;
                }
                else if (piece is BrokenStretch { Torn: false } && !File.Exists(folder.Broken(segment, piece.Offset)))
                {
                    damaged++;
                }
        }

        return new JournalStatus(options.Path, records, bytes, oldest, newest, damaged, folder.SetAside, IsInUse(folder));
    }

    /// <summary>Whether a worker holds the folder's lock.</summary>
    public static bool IsInUse(JournalFolder folder)
    {
        if (!File.Exists(folder.LockFile))
            return false;
        try
        {
            using var held = new FileStream(folder.LockFile, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    // A file that a worker drops at this moment holds nothing that waits.
    private static byte[] ReadWhileWritten(string segment)
    {
        try
        {
            using var file = new FileStream(segment, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            file.CopyTo(copy);
            return copy.ToArray();
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }
}
