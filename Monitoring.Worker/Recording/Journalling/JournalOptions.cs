using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>Where results are kept until the database has them, and how many bytes they may take there.</summary>
internal sealed record JournalOptions(string Path, long MaxBytes)
{
    /// <summary>How large a file grows before the next one begins.</summary>
    public long SegmentBytes { get; init; } = Math.Clamp(MaxBytes / 16, 64 << 10, 8 << 20);

    /// <summary>Reads the settings; the path is answered in full.</summary>
    public static JournalOptions Read(SettingsReader settings) => new(
        System.IO.Path.GetFullPath(settings.Text("Journal:Path", "JOURNAL_PATH", ".data/journal")),
        settings.Whole("Journal:MaxBytes", "JOURNAL_MAX_BYTES", 1 << 30, 1 << 20, int.MaxValue));
}
