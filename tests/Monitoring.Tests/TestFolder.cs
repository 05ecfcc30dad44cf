namespace Monitoring.Tests;

/// <summary>Folders of single tests.</summary>
internal static class TestFolder
{
    /// <summary>A new and empty one.</summary>
    public static string Create() => Directory.CreateTempSubdirectory("monitoring-test-").FullName;

    /// <summary>Takes it away, if it is still there.</summary>
    public static void Delete(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
