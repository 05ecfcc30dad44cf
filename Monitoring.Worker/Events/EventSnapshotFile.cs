using System.Text.Json;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Events;

/// <summary>
/// Keeps the event snapshot beside the journal, for a worker that starts while the database is away: without it, it would announce what
/// was announced long ago. Losing it costs no more than that, so a disk that does not take it is no fault.
/// </summary>
internal sealed partial class EventSnapshotFile(JournalOptions options, ILogger<EventSnapshotFile> logger)
{
    /// <summary>Older than this it is not used: rather announced twice than never.</summary>
    public static readonly TimeSpan UsedFor = TimeSpan.FromHours(1);

    private string Path => new JournalFolder(options.Path).EventSnapshotFile;

    /// <summary>What the process before knew, or null.</summary>
    public EventsView? Read(DateTimeOffset now)
    {
        if (!File.Exists(Path))
            return null;
        try
        {
            var view = JsonSerializer.Deserialize<EventsView>(File.ReadAllBytes(Path), CheckResult.Json);
            if (view is not { Known: not null, SilencedUntil: not null })
                throw new JsonException("it holds something else");
            return (now - view.At).Duration() < UsedFor ? view : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            LogNotRead(Path, fault.Message);
            return null;
        }
    }

    /// <summary>Replaces the file.</summary>
    public void Write(EventsView view)
    {
        try
        {
            File.WriteAllBytes(Path + ".new", JsonSerializer.SerializeToUtf8Bytes(view, CheckResult.Json));
            File.Move(Path + ".new", Path, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogNotWritten(Path, fault.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "{File} cannot be read: {Error}. Should the database be away, events that were announced before are announced again")]
    private partial void LogNotRead(string file, string error);

    [LoggerMessage(LogLevel.Debug, "{File} cannot be written: {Error}")]
    private partial void LogNotWritten(string file, string error);
}
