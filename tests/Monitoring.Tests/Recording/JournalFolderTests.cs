using System.Diagnostics;
using System.Runtime.Versioning;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Benchmarks.Faults;
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
    private readonly List<string> _others = [];
    private JournalDamage _damage = null!;
    private bool _isMounted;

    [SetUp]
    public void PrepareDamage() => _damage = new JournalDamage(_journal);

    [TearDown]
    public void Unmount()
    {
        if (_isMounted)
            Run("umount", "--lazy", _journal);
        _damage.Dispose();
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
    public Task Whatever_is_done_to_the_folder_nothing_is_lost_and_the_next_outage_loses_nothing(
        [Values] JournalWay way, [Values] bool away) =>
        BreakAsync(() => _damage.Break(way), () => _damage.Mend(way), away, isSaid: way != JournalWay.PermissionsTaken);

    [Test]
    public Task Folder_that_can_only_be_read_for_a_while_loses_nothing([Values] bool away) => BreakAsync(
        () => _isMounted = Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", _journal),
        () => _isMounted = _isMounted && !Run("umount", _journal), away, isSaid: false);

    [Test]
    public Task Disk_that_is_full_for_a_while_loses_nothing([Values] bool away)
    {
        _isMounted = Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", _journal);
        return BreakAsync(_isMounted ? Fill : () => { }, () => File.Delete(Path.Combine(_journal, "ballast")), away, isSaid: false);
    }

    private async Task BreakAsync(Action breakIt, Action mendIt, bool away, bool isSaid)
    {
        await RecordAsync(0, 2);
        if (away)
            _gate.Close();
        await RecordAsync(3, 7);
        _damage.BackUp();
        await RecordAsync(8, 9);
        breakIt();
        await RecordAsync(10, 14);
        mendIt();
        _clock.Advance(TimeSpan.FromSeconds(3));
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
        if (away && isSaid)
            Assert.That(Queue.Incident, Is.Not.Null, "and it is said");

        _gate.Close();
        await RecordAsync(20, 25);
        _gate.Open();
        await RestartInCopyAsync();
        Assert.That(await StoredAsync(), Is.EqualTo(Enumerable.Range(0, 17).Concat(Enumerable.Range(20, 6))));
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
        var moved = _damage.Move();
        await RecordAsync(4, 5);
        File.Copy(Directory.GetFiles(moved, "*.journal").Single(), Path.Combine(_journal, "0000000000000000900.journal"));
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
