using System.Diagnostics;
using System.Runtime.Versioning;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Recording;

/// <summary>What somebody does to the journal's folder while the worker uses it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class JournalFolderTests : RecorderFixture
{
    /// <summary>Each way to break it.</summary>
    public enum Way
    {
        FolderRemoved, FileRemoved, FolderMoved, ReplacedByLink, ReadOnly, RestoredFromBackup, DiskFull, FileTruncated, FileReplaced,
        PermissionsTaken, PositionRemoved, LockRemoved,
    }

    private readonly List<string> _others = [];
    private string? _backup;
    private bool _isMounted;

    [TearDown]
    public void Unmount()
    {
        if (_isMounted)
            Run("umount", "--lazy", _journal);
        foreach (var other in _others)
            TestFolder.Delete(other);
    }

    private static CheckResult Result(int minute) => ResultSample.Of(
        "hlp-vault", Noon.AddMinutes(minute), CheckOutcome.Succeeded, [], [], Sample.Snapshot(Noon.AddMinutes(minute), Sample.Measures()));

    private async Task RecordAsync(int from, int to)
    {
        for (var minute = from; minute <= to; minute++)
            await Recorder.RecordAsync(Result(minute), default);
    }

    private async Task<List<int>> StoredAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<int>("SELECT (extract(epoch FROM scheduled_at - '2026-11-21 12:00Z') / 60)::int "
            + "FROM check_runs WHERE monitor = 'hlp-vault' ORDER BY 1")];
    }

    private RecordingQueue Queue => _services.GetRequiredService<RecordingQueue>();

    private string Segment => new JournalFolder(_journal).Segments[^1];

    // What the next process finds after a kill, stored in a database that is back; answers what it said is missing.
    private async Task<int> RestartInCopyAsync()
    {
        var copy = TestFolder.CopyOfJournal(_journal);
        _others.Add(copy);
        await using var next = Build(copy);
        await next.GetRequiredService<RecordingPipeline>().DrainAsync(default);
        return next.GetRequiredService<RecordingQueue>().SetAside.Count;
    }

    [Test]
    public async Task Whatever_is_done_to_the_folder_nothing_is_lost_and_the_next_outage_loses_nothing([Values] Way way, [Values] bool away)
    {
        Prepare(way);
        await RecordAsync(0, 2);
        if (away)
            _gate.Close();
        await RecordAsync(3, 7);
        _backup = TestFolder.CopyOfJournal(_journal);
        _others.Add(_backup);
        await RecordAsync(8, 9);
        Break(way);
        await RecordAsync(10, 14);
        Mend(way);
        await RecordAsync(15, 16);
        Assert.That((Queue.Fault, Queue.InMemory), Is.EqualTo(((JournalFault?)null, 0)), "all that waits is on the disk");
        if (away)
        {
            _gate.Open();
            await RestartInCopyAsync();
        }

        await Recorder.DrainAsync(default);
        Assert.That(await StoredAsync(), Is.EqualTo(Enumerable.Range(0, 17)));
        Assert.That(Queue.Incident?.Missing ?? 0, Is.Zero);
        if (away && way is not (Way.ReadOnly or Way.DiskFull or Way.PermissionsTaken))
            Assert.That(Queue.Incident, Is.Not.Null, "and it is said");

        _gate.Close();
        await RecordAsync(20, 25);
        _gate.Open();
        await RestartInCopyAsync();
        Assert.That(await StoredAsync(), Is.EqualTo(Enumerable.Range(0, 17).Concat(Enumerable.Range(20, 6))));
    }

    private void Prepare(Way way)
    {
        if (way == Way.DiskFull && Environment.IsPrivilegedProcess)
            _isMounted = Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", _journal);
    }

    private void Break(Way way)
    {
        switch (way)
        {
            case Way.FolderRemoved:
                Directory.Delete(_journal, recursive: true);
                break;
            case Way.FileRemoved:
                File.Delete(Segment);
                break;
            case Way.FolderMoved:
                Move();
                break;
            case Way.ReplacedByLink:
                Move();
                _others.Add(Directory.CreateSymbolicLink(_journal, TestFolder.Create()).ResolveLinkTarget(true)!.FullName);
                break;
            case Way.RestoredFromBackup:
                Move();
                Directory.Move(_backup!, _journal);
                break;
            case Way.FileTruncated:
                using (var file = new FileStream(Segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                    file.SetLength(file.Length / 2);
                break;
            case Way.FileReplaced:
                var path = Segment;
                File.Delete(path);
                File.WriteAllText(path, "what somebody else wrote");
                break;
            case Way.PositionRemoved:
                File.Delete(new JournalFolder(_journal).PositionFile);
                break;
            case Way.LockRemoved:
                File.Delete(new JournalFolder(_journal).LockFile);
                break;
            case Way.DiskFull when _isMounted:
                Fill();
                break;
            case Way.ReadOnly when Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", _journal):
                _isMounted = true;
                break;
            default: // where it is allowed whatever the folder says, nothing is broken
                File.SetUnixFileMode(_journal, UnixFileMode.None);
                break;
        }
    }

    private void Mend(Way way)
    {
        if (way == Way.DiskFull && _isMounted)
            File.Delete(Path.Combine(_journal, "ballast"));
        else if (way == Way.ReadOnly && _isMounted)
            _isMounted = !Run("umount", _journal);
        else if (way is Way.ReadOnly or Way.DiskFull or Way.PermissionsTaken)
            File.SetUnixFileMode(_journal, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _clock.Advance(TimeSpan.FromSeconds(3));
    }

    private void Move()
    {
        var aside = _journal + "-moved";
        Directory.Move(_journal, aside);
        _others.Add(aside);
    }

    private void Fill()
    {
        using var file = new FileStream(
            Path.Combine(_journal, "ballast"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
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

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    [Test]
    public async Task What_cannot_be_had_any_more_is_counted_in_an_event()
    {
        await RecordAsync(0, 0);
        _gate.Close();
        await RecordAsync(1, 150); // more than is remembered beside the disk
        using (var file = new FileStream(Segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(100);
        await RecordAsync(151, 152);
        var missing = Queue.Incident!.Missing;
        _clock.Advance(TimeSpan.FromSeconds(10));
        Recorder.Look();
        _gate.Open();
        await Recorder.DrainAsync(default);
        var stored = await StoredAsync();
        Assert.That(missing, Is.InRange(1, 60).And.EqualTo(153 - stored.Count));
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<(string, string, string)>("SELECT severity, title, indicators ->> 'missing' "
            + "FROM security_events WHERE rule_id = 'journal.displaced'"),
            Is.EqualTo(("critical", $"{missing} results may be missing from the journal", $"{missing}")));
    }

    [Test]
    public async Task File_that_is_moved_back_or_put_there_by_somebody_else_is_kept_and_said()
    {
        _gate.Close();
        await RecordAsync(0, 3);
        Move();
        await RecordAsync(4, 5);
        File.Copy(Directory.GetFiles(_journal + "-moved", "*.journal").Single(), Path.Combine(_journal, "0000000000000000900.journal"));
        File.Delete(new JournalFolder(_journal).LockFile);
        await RecordAsync(6, 6);
        Assert.That(Queue.SetAside.Select(Path.GetFileName), Has.One.EqualTo("set-aside-0000000000000000900-whole-1"));
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(await StoredAsync(), Is.EqualTo(Enumerable.Range(0, 7)));
    }

    [Test]
    public async Task File_that_cannot_be_read_at_the_start_is_set_aside_and_keeps_no_other_from_being_read()
    {
        _gate.Close();
        await RecordAsync(0, 3);
        var copy = TestFolder.CopyOfJournal(_journal);
        _others.Add(copy);
        var loop = Path.Combine(copy, "0000000000000000000.journal");
        File.CreateSymbolicLink(loop, loop);
        _gate.Open();
        await using var next = Build(copy);
        await next.GetRequiredService<RecordingPipeline>().DrainAsync(default);
        Assert.That(await StoredAsync(), Is.EqualTo(Enumerable.Range(0, 4)));
        Assert.That(next.GetRequiredService<RecordingQueue>().SetAside.Select(Path.GetFileName),
            Is.EqualTo(new[] { "set-aside-0000000000000000000-whole-1" }));
    }

    [Test]
    public async Task Removed_folder_is_an_event_that_ends()
    {
        await RecordAsync(0, 1);
        Directory.Delete(_journal, recursive: true);
        await RecordAsync(2, 3);
        await LookAsync(1);
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<(string, string, string)>(
            "SELECT severity, status, indicators ->> 'missing' FROM security_events WHERE rule_id = 'journal.displaced'"),
            Is.EqualTo(("high", "open", "0")));
        _clock.Advance(TimeSpan.FromMinutes(10));
        await LookAsync(4);
        Assert.That(await connection.QuerySingleAsync<string>("SELECT status FROM security_events WHERE rule_id = 'journal.displaced'"),
            Is.EqualTo("resolved"));
    }

    private async Task LookAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            Recorder.Look();
            await Recorder.DrainAsync(default);
        }
    }
}
