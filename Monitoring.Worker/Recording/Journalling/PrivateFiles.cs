using System.Runtime.InteropServices;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>
/// Keeps what lies on this machine's disk from its other accounts: results, events and messages tell what is watched and how.
/// </summary>
internal static class PrivateFiles
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>From now on every file and folder that this process makes is its account's alone.</summary>
    public static void MakeOnlyPrivateOnes()
    {
        const uint othersNothing = 0b000_111_111;
        if (!OperatingSystem.IsWindows())
            _ = umask(othersNothing);
    }

    /// <summary>
    /// Takes a folder and the files that are ours in it from other accounts. Answers what could not be changed, in words; a folder that
    /// holds something else is left as it is, because others may need it.
    /// </summary>
    public static IEnumerable<string> Tighten(string folder, Func<string, bool> isOurs)
    {
        if (OperatingSystem.IsWindows())
            yield break;
        var files = Directory.GetFileSystemEntries(folder);
        foreach (var file in files.Where(file => isOurs(Path.GetFileName(file))))
            if (FindProblem(file) is { } problem)
                yield return problem;
        if (files.FirstOrDefault(file => !isOurs(Path.GetFileName(file))) is not { } foreign)
        {
            if (FindProblem(folder) is { } problem)
                yield return problem;
        }
        else if ((File.GetUnixFileMode(folder) & Others) != UnixFileMode.None)
        {
            yield return $"{folder} is open to other accounts and holds something else, {Path.GetFileName(foreign)}; "
                + "give the journal a folder of its own";
        }
    }

    private static string? FindProblem(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows() || new FileInfo(path).LinkTarget is not null)
                return null;
            var mode = File.GetUnixFileMode(path);
            if ((mode & Others) != UnixFileMode.None)
                File.SetUnixFileMode(path, mode & ~Others);
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return $"{path} is open to other accounts, and that cannot be changed: {fault.Message}";
        }
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint umask(uint mask);
}
