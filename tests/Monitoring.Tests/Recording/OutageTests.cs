using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Recording;

/// <summary>What becomes of results while the database, the disk or the process goes away.</summary>
public sealed class OutageTests : RecorderFixture
{
    private DatabaseLink Link => _services.GetRequiredService<DatabaseLink>();

    private static CheckResult Result(int minute, params Finding[] findings) =>
        ResultSample.Of("hlp-vault", Noon.AddMinutes(minute), CheckOutcome.Succeeded, findings, [],
            Sample.Snapshot(Noon.AddMinutes(minute), Sample.Measures()));

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(sql);
    }

    private Task<long> StoredAsync() => QueryAsync<long>(
        "SELECT count(*) FROM check_runs AS r JOIN hlp_vault_snapshots AS s ON s.observed_at = r.scheduled_at WHERE monitor = 'hlp-vault'");

    // The looks at its own health, as the pipeline's loop makes them.
    private async Task LookAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            Recorder.Look();
            await Recorder.DrainAsync(default);
        }
    }

    [Test]
    public async Task Outage_is_one_event_with_its_own_beginning_that_ends_after_it()
    {
        _clock.Advance(TimeSpan.FromSeconds(3));
        await Recorder.RecordAsync(Result(0), default);
        _gate.Close();
        for (var minute = 1; minute <= 5; minute++)
            await Recorder.RecordAsync(Result(minute), default);
        await LookAsync(4);
        _gate.Open();
        await LookAsync(1);
        Assert.That(await StoredAsync(), Is.EqualTo(6));
        var open = await QueryAsync<(string, string, string, string, DateTime, long)>(
            "SELECT threat_type, severity, status, subject, first_seen_at, (SELECT count(*) FROM security_events) FROM security_events "
            + "WHERE rule_id = 'database.away'");
        Assert.That(open, Is.EqualTo(("database_unavailable", "high", "open",
            $"127.0.0.1:{_gate.Port}/{_connection.Database}", Noon.AddSeconds(3).UtcDateTime, 1L)));
        await LookAsync(4);
        Assert.That(await QueryAsync<(string, long)>("SELECT status, occurrences FROM security_events"), Is.EqualTo(("resolved", 6L)));
        Assert.That(await QueryAsync<string>("SELECT string_agg(kind, ' ' ORDER BY seq) FROM security_event_changes"),
            Is.EqualTo("opened resolved"));
        Assert.That(await QueryAsync<string>("SELECT evidence #>> '{arithmetic,0}' FROM security_event_changes WHERE kind = 'opened'"),
            Does.EndWith("high"));
        var rows = await QueryAsync<long>("SELECT count(*) FROM check_runs");
        await LookAsync(10);
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM check_runs"), Is.EqualTo(rows), "while all is well it says nothing");
    }

    [Test]
    public async Task Worker_killed_during_an_outage_or_while_draining_loses_and_doubles_nothing()
    {
        _gate.Close();
        for (var minute = 0; minute < 6; minute++)
            await Recorder.RecordAsync(Result(minute, ResultSample.Finding("r", "s", Severity.High)), default);
        var killed = TestFolder.CopyOfJournal(_journal);
        try
        {
            _gate.Open();
            // What the killed one had drained already, or another worker stored.
            await _services.GetRequiredService<DatabaseRecorder>().WriteAsync(
                Result(0, ResultSample.Finding("r", "s", Severity.High)), default);
            await _services.GetRequiredService<DatabaseRecorder>().WriteAsync(
                Result(1, ResultSample.Finding("r", "s", Severity.High)), default);
            await using var next = Build(killed);
            await next.GetRequiredService<RecordingPipeline>().DrainAsync(default);
            Assert.That((await StoredAsync(), next.GetRequiredService<RecordingPipeline>().Waiting), Is.EqualTo((6L, 0)));
            Assert.That(await QueryAsync<(long, long)>("SELECT count(*), max(occurrences) FROM security_events WHERE rule_id = 'r'"),
                Is.EqualTo((1L, 6L)));
        }
        finally
        {
            TestFolder.Delete(killed);
        }
    }

    [TestCase("40001", Description = "serialization failure")]
    [TestCase("40P01", Description = "deadlock")]
    [TestCase("57P03", Description = "the server starts")]
    [TestCase("55P03", Description = "lock not available")]
    public async Task Fault_that_passes_is_tried_again_and_is_no_outage(string state)
    {
        await FailOnceAsync($"RAISE EXCEPTION 'once' USING ERRCODE = '{state}'");
        await Recorder.RecordAsync(Result(0), default);
        Assert.That((await StoredAsync(), Recorder.Waiting, Link.Outage), Is.EqualTo((1L, 0, (DatabaseOutage?)null)));
        Assert.That(_logs.Lines, Has.One.Matches<(LogLevel, string Text)>(line => line.Text.Contains("is tried again: once")));
    }

    [Test]
    public async Task Connection_that_ends_in_the_middle_of_a_commit_neither_loses_nor_doubles()
    {
        await FailOnceAsync("PERFORM pg_terminate_backend(pg_backend_pid())");
        await Recorder.RecordAsync(Result(0, ResultSample.Finding("r", "s", Severity.High)), default);
        Assert.That((await StoredAsync(), await QueryAsync<long>("SELECT count(*) FROM security_event_changes")), Is.EqualTo((1L, 1L)));
        Assert.That(Link.Outage, Is.Null);
    }

    // A deferred trigger runs in the commit; a sequence forgets nothing that is rolled back.
    private Task FailOnceAsync(string how) => ExecuteAsync($"""
        CREATE SEQUENCE attempts;
        CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') = 1 THEN {how}; END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER fail_once AFTER INSERT ON hlp_vault_snapshots DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION fail_once();
        """);

    [Test]
    public async Task Server_that_became_read_only_is_left_for_one_that_can_be_written()
    {
        await ExecuteAsync($"ALTER DATABASE {_connection.Database} SET default_transaction_read_only = on");
        await Recorder.RecordAsync(Result(0), default);
        Assert.That((Recorder.Waiting, Link.Outage?.Error), Is.EqualTo((3, Link.Outage?.Error)));
        Assert.That(Link.Outage?.Error, Does.Contain("read-only"));
        await TestDatabase.ExecuteAsync($"ALTER DATABASE {_connection.Database} SET default_transaction_read_only = off");
        await Recorder.DrainAsync(default);
        Assert.That(Recorder.Waiting, Is.Zero, "old connections, which stay read-only, were not used again");
    }

    [Test]
    public async Task Second_host_is_used_when_the_first_one_goes_away()
    {
        await using var second = new TcpGate(TestDatabase.ConnectionTo(_db).Host!, TestDatabase.ConnectionTo(_db).Port);
        _connection.Host = $"127.0.0.1:{_gate.Port},127.0.0.1:{second.Port}";
        await _services.DisposeAsync();
        _services = Build(_journal);
        await Recorder.RecordAsync(Result(0), default);
        _gate.Close();
        await Recorder.RecordAsync(Result(1), default);
        Assert.That((await StoredAsync(), Link.Outage), Is.EqualTo((2L, (DatabaseOutage?)null)));
    }

    [Test]
    public async Task Full_disk_is_an_event_and_results_go_straight_to_the_database()
    {
        // A small disk where this may be mounted; elsewhere a folder that stands where the next file should.
        var mounted = Mount(_journal);
        try
        {
            if (!mounted)
                Directory.CreateDirectory(new JournalFolder(_journal).Segment(1));
            for (var minute = 0; minute < 60; minute++)
                await Recorder.RecordAsync(Result(minute, ResultSample.Finding("r", new string('s', 1000), Severity.High)), default);
            if (mounted)
            {
                _gate.Close();
                for (var minute = 60; minute < 200; minute++)
                    await Recorder.RecordAsync(Result(minute), default);
                Assert.That(Recorder.Waiting, Is.GreaterThanOrEqualTo(140), "what the disk did not take is in memory");
                _gate.Open();
                await Recorder.DrainAsync(default);
            }

            Assert.That((await StoredAsync(), Recorder.Waiting), Is.EqualTo((mounted ? 200L : 60L, 0)));
            await LookAsync(1);
            Assert.That(await QueryAsync<string>(
                "SELECT threat_type FROM security_events WHERE rule_id = 'journal.unwritable' AND severity = 'high' AND status = 'open'"),
                Is.EqualTo("journal_fault"));
        }
        finally
        {
            await _services.DisposeAsync();
            if (mounted)
                Run("umount", _journal);
        }
    }

    private static bool Mount(string folder) => Run("mount", $"-t tmpfs -o size=128k tmpfs {folder}");

    private static bool Run(string program, string arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    [Test]
    public async Task Journal_past_its_bound_is_an_event_of_its_own_and_the_newest_stay_in_memory()
    {
        await _services.DisposeAsync();
        _services = Build(_journal, maxBytes: 20_000);
        _gate.Close();
        for (var minute = 0; minute < 50; minute++)
            await Recorder.RecordAsync(Result(minute), default);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Recorder.Look();
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That((await StoredAsync(), Recorder.Waiting), Is.EqualTo((50L, 0)));
        Assert.That(await QueryAsync<long>(
            "SELECT count(*) FROM security_events WHERE rule_id = 'journal.full' AND subject LIKE '%monitoring-test-%'"),
            Is.EqualTo(1));
    }

    [Test]
    public async Task Record_set_aside_is_an_event_until_somebody_takes_the_file_away()
    {
        await Recorder.RecordAsync(
            Result(0) with { Run = Result(0).Run with { Error = "a success without error is what the table asks for" } }, default);
        await LookAsync(1);
        Assert.That(await QueryAsync<string>("SELECT status FROM security_events WHERE rule_id = 'journal.set-aside'"), Is.EqualTo("open"));
        var file = new JournalFolder(_journal).SetAside.Single();
        Assert.That(JournalEntry.Parse(await File.ReadAllBytesAsync(file)), Is.TypeOf<ResultEntry>(), "it is kept whole");
        File.Delete(file);
        await LookAsync(3);
        Assert.That(await QueryAsync<string>("SELECT status FROM security_events WHERE rule_id = 'journal.set-aside'"),
            Is.EqualTo("resolved"));
    }

    [Test]
    public async Task What_one_worker_has_set_aside_is_not_for_another_to_resolve()
    {
        await Recorder.RecordAsync(
            Result(0) with { Run = Result(0).Run with { Error = "a success without error is what the table asks for" } }, default);
        await LookAsync(1);
        var journal = TestFolder.Create();
        await using (var other = Build(journal))
        {
            await other.GetRequiredService<EventSnapshotRefresh>().RefreshIfDueAsync(default);
            for (var i = 0; i < 5; i++)
            {
                _clock.Advance(TimeSpan.FromSeconds(10));
                other.GetRequiredService<RecordingPipeline>().Look();
                await other.GetRequiredService<RecordingPipeline>().DrainAsync(default);
            }
        }

        TestFolder.Delete(journal);
        Assert.That(await QueryAsync<(string, string)>("SELECT subject, status FROM security_events WHERE rule_id = 'journal.set-aside'"),
            Is.EqualTo(($"test:{_journal}", "open")));
    }

    [Test]
    public async Task Clock_that_was_set_back_does_not_silence_the_recorder()
    {
        await LookAsync(5);
        _clock.Advance(TimeSpan.FromHours(-1));
        _gate.Close();
        await Recorder.RecordAsync(Result(1), default);
        _gate.Open();
        await LookAsync(1);
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM security_events WHERE rule_id = 'database.away'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Many_at_once_are_all_there_in_the_order_of_each()
    {
        _gate.Close();
        await Recorder.RecordAsync(Result(0), default);
        var queue = _services.GetRequiredService<RecordingQueue>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(() =>
        {
            for (var i = 0; i < 25; i++)
                Recorder.Record(ResultSample.Of($"m{writer}", Noon.AddSeconds(i), CheckOutcome.Succeeded, [], []));
        })));
        Assert.That(queue.Waiting, Is.EqualTo(3 + (8 * 25)));
        var seen = new Dictionary<string, DateTimeOffset>();
        while (queue.Oldest() is { } entry)
        {
            if (entry is ResultEntry { Result.Run: var run })
            {
                Assert.That(run.ScheduledAt, Is.GreaterThan(seen.GetValueOrDefault(run.Monitor)));
                seen[run.Monitor] = run.ScheduledAt;
            }

            queue.RemoveOldest();
        }

        Assert.That(seen.Where(m => m.Key[0] == 'm').Select(m => m.Value), Has.Exactly(8).Items.And.All.EqualTo(Noon.AddSeconds(24)));
    }
}
