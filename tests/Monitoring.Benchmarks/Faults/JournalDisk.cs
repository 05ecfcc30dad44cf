using System.Diagnostics;

namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// A small disk of its own for a journal, so that it can be filled. Needs root for the mount; without it, it is an
/// ordinary folder that is never full.
/// </summary>
internal sealed class JournalDisk : IDisposable
{
    private const int Size = 8 << 20;
    private readonly string _folder;

    public JournalDisk(string folder, bool wanted)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        CanBeFilled = wanted && Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", $"size={Size}", "tmpfs", _folder) == 0;
    }

    public bool CanBeFilled { get; }

    /// <summary>The value for <c>JOURNAL_PATH</c>.</summary>
    public string JournalPath => Path.Combine(_folder, "journal");

    private string Ballast => Path.Combine(_folder, "ballast");

    /// <summary>Leaves not one byte free.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var block = new byte[4096]; ;)
                file.Write(block);
        }
        catch (IOException)
        {
            // full: as it should be
        }
    }

    public void Free() => File.Delete(Ballast);

    /// <summary>Takes the folder away with all that is in it, as <c>rm -rf</c> does.</summary>
    public void RemoveJournal()
    {
        try
        {
            Directory.Delete(JournalPath, recursive: true);
        }
        catch (IOException)
        {
            // what the worker has made again meanwhile stays
        }
    }

    public void Dispose()
    {
        if (CanBeFilled)
            _ = Run("umount", "--lazy", _folder);
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
