using Monitoring.Benchmarks.Faults;

namespace Monitoring.Tests;

/// <summary>Folders of single tests.</summary>
internal static class TestFolder
{
    /// <summary>A new and empty one.</summary>
    public static string Create() => Directory.CreateTempSubdirectory("monitoring-test-").FullName;

    /// <summary>A copy of a journal's folder as a killed process leaves it.</summary>
    public static string CopyOfJournal(string path)
    {
        var copy = Create();
        JournalDamage.Copy(path, copy);
        return copy;
    }

    /// <summary>Takes it away, if it is still there.</summary>
    public static void Delete(string path)
    {
        for (var tries = 1; Directory.Exists(path); tries++)
            try
            {
                Directory.Delete(path, recursive: true);
            }
            catch (IOException) when (tries < 1000)
            {
                Thread.Yield(); // what was stopped may write its last file between the look and the removal
            }
    }
}
