using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Benchmarks.Faults;

/// <summary>What somebody may do to a journal's folder while its worker runs.</summary>
public enum JournalWay
{
    FolderRemoved, FileRemoved, FolderMoved, ReplacedByLink, RestoredFromBackup, FileTruncated, FileReplaced, PermissionsTaken,
    PositionRemoved, LockRemoved,
}

/// <summary>Does one of them to a folder. What is moved or made besides is beside it, under its name with a number.</summary>
internal sealed class JournalDamage(string journal) : IDisposable
{
    private readonly List<string> _others = [];

    /// <summary>The folder.</summary>
    public string Folder => journal;

    private string Segment => new JournalFolder(journal).Segments[^1];

    /// <summary>Copies the folder as it is now, for <see cref="JournalWay.RestoredFromBackup"/>.</summary>
    public void BackUp() => Copy(journal, Directory.CreateDirectory(Another()).FullName);

    /// <summary>
    /// Copies a journal's folder into another as a killed process leaves it: nothing is closed, and the lock goes with the process.
    /// </summary>
    public static void Copy(string journal, string to)
    {
        foreach (var file in Directory.EnumerateFiles(journal).Where(file => Path.GetFileName(file) != "lock"))
        {
            using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var target = File.Create(Path.Combine(to, Path.GetFileName(file)));
            source.CopyTo(target);
        }
    }

    /// <summary>Breaks it.</summary>
    public void Break(JournalWay way)
    {
        switch (way)
        {
            case JournalWay.FolderRemoved:
                Directory.Delete(journal, recursive: true);
                break;
            case JournalWay.FileRemoved:
                File.Delete(Segment);
                break;
            case JournalWay.FolderMoved:
                Move();
                break;
            case JournalWay.ReplacedByLink:
                Move();
                Directory.CreateSymbolicLink(journal, Directory.CreateDirectory(Another()).FullName);
                break;
            case JournalWay.RestoredFromBackup:
                var backup = _others[^1];
                Move();
                Directory.Move(backup, journal);
                break;
            case JournalWay.FileTruncated:
                using (var file = new FileStream(Segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                    file.SetLength(file.Length / 2);
                break;
            case JournalWay.FileReplaced:
                var path = Segment;
                File.Delete(path);
                File.WriteAllText(path, "what somebody else wrote");
                break;
            case JournalWay.PositionRemoved:
                File.Delete(new JournalFolder(journal).PositionFile);
                break;
            case JournalWay.LockRemoved:
                File.Delete(new JournalFolder(journal).LockFile);
                break;
            case JournalWay.PermissionsTaken when !OperatingSystem.IsWindows(): // breaks nothing for whoever is allowed everything
                File.SetUnixFileMode(journal, UnixFileMode.None);
                break;
        }
    }

    /// <summary>Gives back what can be given back.</summary>
    public void Mend(JournalWay way)
    {
        if (way == JournalWay.PermissionsTaken && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(journal, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Moves the folder away; answers where it is.</summary>
    public string Move()
    {
        var aside = Another();
        Directory.Move(journal, aside);
        return aside;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var other in _others.Where(Path.Exists))
            if (new DirectoryInfo(other).LinkTarget is null)
                Directory.Delete(other, recursive: true);
            else
                File.Delete(other); // the link alone: what it leads to may be gone
    }

    private string Another()
    {
        _others.Add($"{journal}-{_others.Count}");
        return _others[^1];
    }
}
