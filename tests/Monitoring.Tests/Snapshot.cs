namespace Monitoring.Tests;

/// <summary>Compares a text with the committed one. UPDATE_SNAPSHOTS=1 writes it instead.</summary>
internal static class Snapshot
{
    public static void Matches(string path, string actual)
    {
        var file = Repository.File(path);
        actual = actual.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }

        Assert.That(File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "", Is.EqualTo(actual),
            $"{path} does not say what the code does; write it anew with UPDATE_SNAPSHOTS=1");
    }
}
