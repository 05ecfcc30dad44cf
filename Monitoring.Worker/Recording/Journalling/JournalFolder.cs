using System.Globalization;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>The names of what lies in a journal's folder.</summary>
internal sealed record JournalFolder(string Path)
{
    private const string SegmentEnding = ".journal";
    private const string SetAsidePrefix = "set-aside-";

    /// <summary>Held by the worker that uses the folder.</summary>
    public string LockFile => In("lock");

    /// <summary>The sequence up to which the database has everything.</summary>
    public string PositionFile => In("position");

    /// <summary>Which events were open and silenced when the database last answered.</summary>
    public string EventSnapshotFile => In("known-events.json");

    /// <summary>The files of records, oldest first; none where there is no folder.</summary>
    public IReadOnlyList<string> Segments => Files("*" + SegmentEnding);

    /// <summary>What could not be read or stored, kept for a person to look at.</summary>
    public IReadOnlyList<string> SetAside => Files(SetAsidePrefix + "*");

    /// <summary>The file whose first record has this sequence.</summary>
    public string Segment(long first) => In(first.ToString("D19", CultureInfo.InvariantCulture) + SegmentEnding);

    /// <summary>Where broken bytes of a segment go; the same stretch always has the same name.</summary>
    public string Broken(string segment, int offset) =>
        In($"{SetAsidePrefix}{System.IO.Path.GetFileNameWithoutExtension(segment)}-{offset}.bytes");

    /// <summary>Where a whole file goes that is not a worker's, or that cannot be read; a name that nothing has yet.</summary>
    public string Whole(string segment)
    {
        var name = In(SetAsidePrefix + System.IO.Path.GetFileNameWithoutExtension(segment));
        for (var number = 1; ; number++)
            if ($"{name}-whole-{number}" is var free && !File.Exists(free) && !Directory.Exists(free))
                return free;
    }

    /// <summary>Where a record goes that is whole and that nobody can store.</summary>
    public string Refused(long sequence) => In($"{SetAsidePrefix}{sequence:D19}.json");

    /// <summary>Why nothing could be written there, or null. The folder is made; a worker that uses it is not disturbed.</summary>
    public string? FindProblem()
    {
        try
        {
            DurableFile.CreateFolder(Path);
            DurableFile.Write(In("probe"), "probe"u8);
            File.Delete(In("probe"));
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return fault.Message;
        }
    }

    /// <summary>Whether a file of this name is one of a journal's.</summary>
    public static bool IsOurs(string name) =>
        name is "lock" or "position" or "probe" || name.StartsWith("known-events.json", StringComparison.Ordinal)
        || name.EndsWith(SegmentEnding, StringComparison.Ordinal) || name.StartsWith(SetAsidePrefix, StringComparison.Ordinal);

    private IReadOnlyList<string> Files(string pattern) =>
        Directory.Exists(Path) ? [.. Directory.EnumerateFiles(Path, pattern).Order(StringComparer.Ordinal)] : [];

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
