using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;
using Npgsql;

namespace Monitoring.Tests.Recording;

/// <summary>What leaves while the database is away, and what becomes of it when it is back.</summary>
public sealed class DirectSendingTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly ManualClock _clock = new(Noon);
    private readonly TestLogs _logs = new();
    private readonly RecordingChannel _channel = new();
    private readonly string _journal = TestFolder.Create();
    private NpgsqlDataSource _db = null!;
    private NpgsqlConnectionStringBuilder _connection = null!;
    private TcpGate _gate = null!;
    private ServiceProvider _services = null!;
    private int _minute;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _connection = TestDatabase.ConnectionTo(_db);
        _gate = new TcpGate(_connection.Host!, _connection.Port);
        (_connection.Host, _connection.Port) = ("127.0.0.1", _gate.Port);
        _services = Build(_journal);
    }

    [TearDown]
    public async Task Stop()
    {
        await _services.DisposeAsync();
        await _gate.DisposeAsync();
        await TestDatabase.DropAsync(_db);
        TestFolder.Delete(_journal);
    }

    private ServiceProvider Build(string journal) => new ServiceCollection()
        .AddSingleton(DataServices.CreateDataSource(_connection)).AddMonitoringTables().AddSingleton<TimeProvider>(_clock)
        .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton(new NotificationRouting([_channel.Name], Severity.High, [])).AddSingleton<INotificationChannel>(_channel)
        .AddSingleton(new JournalOptions(journal, 1 << 20)).AddSingleton(new DatabaseOptions(_connection)).AddSingleton(new WorkerIdentity("test"))
        .AddSingleton(new ChannelOptions(null, null, null, null, null, null, null)).AddSingleton<KnownEvents>().AddSingleton<KnownEventsFile>().AddSingleton<EventsMirror>().AddSingleton<OtherHands>().AddSingleton<DirectSender>()
        .AddSingleton<Backlog>().AddSingleton<RecorderCheck>().AddSingleton<DatabaseRecorder>().AddSingleton<QueueingRecorder>()
        .AddSingleton<SessionStatistics>().AddSingleton<EventLog>().AddLogging(logging => logging.AddProvider(_logs)).BuildServiceProvider();

    private QueueingRecorder Recorder => _services.GetRequiredService<QueueingRecorder>();

    private Task CheckAsync(params Finding[] findings)
    {
        _clock.Advance(TimeSpan.FromMinutes(1));
        return Recorder.RecordAsync(ResultSample.Of("m", Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, findings, []), default);
    }

    private static Finding Found(Severity severity, string subject = "s") => ResultSample.Finding("r", subject, severity);

    // Whatever is under way has then arrived; what does not leave is not waited for.
    private async Task<List<NotificationMessage>> SentAsync()
    {
        await _services.GetRequiredService<DirectSender>().PauseAsync(default);
        _services.GetRequiredService<DirectSender>().Resume();
        await _services.GetRequiredService<DirectSender>().PauseAsync(default);
        _services.GetRequiredService<DirectSender>().Resume();
        return _channel.TakeAll();
    }

    private async Task<string[]> RowsAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<string>("SELECT concat_ws(' ', rule_id, n.kind, n.severity, n.status, n.message_id) FROM notifications AS n JOIN security_events USING (event_id) ORDER BY seq")];
    }

    private string Copy()
    {
        var copy = TestFolder.Create();
        foreach (var file in Directory.EnumerateFiles(_journal).Where(file => Path.GetFileName(file) != "lock")) // the lock goes with the process
        {
            using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var target = File.Create(Path.Combine(copy, Path.GetFileName(file)));
            source.CopyTo(target);
        }

        return copy;
    }

    [Test]
    public async Task Critical_finding_and_the_outage_leave_at_once_and_are_stored_as_delivered()
    {
        _gate.Close();
        await CheckAsync();
        var outage = await _channel.NextAsync();
        Assert.That(outage.Entries.Single(), Has.Property("RuleId").EqualTo("database.away").And.Property("Kind").EqualTo(ChangeKind.Opened));
        await CheckAsync(Found(Severity.Critical), Found(Severity.High, "not urgent"));
        var critical = await _channel.NextAsync();
        Assert.That((critical.Entries.Single().Subject, critical.Entries.Single().FirstSeenAt), Is.EqualTo(("s", Noon.AddMinutes(2))));
        for (var i = 0; i < 5; i++)
            await CheckAsync(Found(Severity.Critical));
        Assert.That(await SentAsync(), Is.Empty, "not again on every check");

        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(Recorder.Waiting, Is.Zero);
        Assert.That(await RowsAsync(), Is.EquivalentTo(new[]
        {
            $"database.away opened high delivered {outage.NotificationId}", $"r opened critical delivered {critical.NotificationId}", "r opened high pending", "r resolved high pending",
        }));
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<Guid>("SELECT event_id FROM security_events WHERE subject = 's'"), Is.EqualTo(critical.Entries[0].EventId));
        for (var i = 0; i < 3; i++)
            await CheckAsync();
        Assert.That(await RowsAsync(), Has.One.EqualTo("r resolved critical pending"), "who was told of the opening hears of the end");
    }

    [Test]
    public async Task Event_that_becomes_critical_during_the_outage_is_opened_by_one_message()
    {
        _gate.Close();
        await CheckAsync(Found(Severity.High));
        Assert.That((await _channel.NextAsync()).Entries.Single().RuleId, Is.EqualTo("database.away"));
        await CheckAsync(Found(Severity.Critical));
        Assert.That((await _channel.NextAsync()).Entries.Single(), Has.Property("Kind").EqualTo(ChangeKind.Opened).And.Property("Severity").EqualTo(Severity.Critical));
        await SentAsync();
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That((await RowsAsync()).Where(row => row.StartsWith("r ", StringComparison.Ordinal)), Has.Exactly(2).Items.And.All.Contains(" delivered "));
    }

    [Test]
    public async Task Worker_killed_during_the_outage_sends_no_second_opening()
    {
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        var sent = await _channel.NextAsync();
        Assert.That(sent.Entries.Select(entry => entry.RuleId), Is.EquivalentTo(new[] { "database.away", "r" }), "what comes together is one message");
        Assert.That(await SentAsync(), Is.Empty);
        var killed = Copy();
        await using (var dead = _services)
            _services = Build(killed);
        try
        {
            await CheckAsync(Found(Severity.Critical));
            await CheckAsync(Found(Severity.Critical), Found(Severity.Critical, "new"));
            Assert.That((await _channel.NextAsync()).Entries.Single().Subject, Is.EqualTo("new"));
            Assert.That(await SentAsync(), Is.Empty);
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That((await RowsAsync()).Where(row => row.Contains("opened")), Has.Exactly(3).Items.And.All.Contains("delivered"));
            Assert.That(await RowsAsync(), Has.Exactly(2).Contains(sent.NotificationId.ToString()));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task Worker_killed_and_started_with_the_database_back_stores_what_was_sent_as_delivered()
    {
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        await _channel.NextAsync();
        await SentAsync();
        var killed = Copy();
        try
        {
            await using (var dead = _services)
                _services = Build(killed);
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That(await RowsAsync(), Has.Exactly(2).Items.And.All.Contains(" delivered "));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task Event_that_was_open_before_is_not_announced_again_and_its_escalation_is()
    {
        await CheckAsync(Found(Severity.Critical, "known"), Found(Severity.High, "rising"));
        _gate.Close();
        await CheckAsync(Found(Severity.Critical, "known"), Found(Severity.Critical, "rising"));
        var sent = await _channel.NextAsync();
        Assert.That(sent.Entries.Select(entry => (entry.Subject, entry.Kind)).Where(entry => entry.Subject is "known" or "rising"), Is.EqualTo(new[] { ("rising", ChangeKind.Escalated) }));
        await SentAsync();
        var killed = Copy();
        try
        {
            await using (var dead = _services)
                _services = Build(killed);
            await CheckAsync(Found(Severity.Critical, "known"), Found(Severity.Critical, "rising"));
            Assert.That((await SentAsync()).SelectMany(message => message.Entries).Select(entry => entry.Subject), Has.None.EqualTo("known").And.None.EqualTo("rising"), "also after a restart");
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That(await RowsAsync(), Has.One.EqualTo($"r escalated critical delivered {sent.NotificationId}").And.One.EqualTo("r opened critical pending")
                .And.One.EqualTo($"r opened high delivered {sent.NotificationId}"), "the opening that still waited would come after it");
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task What_a_channel_did_not_take_is_left_to_the_outbox_which_repeats_it_as_it_was()
    {
        await new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);
        _channel.Outcome = new DeliveryOutcome.Retry("busy");
        _gate.Close();
        await CheckAsync(Found(Severity.Critical), Found(Severity.High, "not urgent"));
        var tried = await _channel.NextAsync();
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Is.EquivalentTo(new[]
        {
            $"r opened critical pending {tried.NotificationId}", $"database.away opened high pending {tried.NotificationId}", "r opened high pending",
        }));
        var repeated = (await ClaimAsync()).Single(claimed => claimed.Message.NotificationId == tried.NotificationId);
        Assert.That(repeated.Message.Entries.Select(entry => (entry.EventId, entry.Kind)), Is.EquivalentTo(tried.Entries.Select(entry => (entry.EventId, entry.Kind))));
    }

    [Test]
    public async Task Worker_killed_before_it_noted_what_was_sent_repeats_it_under_its_id_and_puts_nothing_else_into_it()
    {
        _channel.Outcome = new DeliveryOutcome.Retry("no answer, but it came");
        _gate.Close();
        await CheckAsync(Found(Severity.Critical, "first"));
        var tried = await _channel.NextAsync();
        await CheckAsync(Found(Severity.Critical, "first"), Found(Severity.Critical, "second"));
        var killed = Copy();
        try
        {
            await using (var dead = _services)
                _services = Build(killed);
            _channel.TakeAll();
            _channel.Outcome = new DeliveryOutcome.Delivered();
            await CheckAsync(Found(Severity.Critical, "first"), Found(Severity.Critical, "second"));
            List<NotificationMessage> sent = [await _channel.NextAsync(), await _channel.NextAsync()];
            var repeated = sent.Single(message => message.NotificationId == tried.NotificationId);
            Assert.That(repeated.Entries.Select(entry => (entry.EventId, entry.Kind)), Is.EqualTo(tried.Entries.Select(entry => (entry.EventId, entry.Kind))));
            Assert.That(sent.Single(message => message != repeated).Entries.Select(entry => entry.Subject), Has.One.EqualTo("second").And.None.EqualTo("first"));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task Retry_after_is_honoured_through_attempts_to_store()
    {
        _channel.Outcome = new DeliveryOutcome.Retry("HTTP 429", TimeSpan.FromMinutes(10));
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        await _channel.NextAsync();
        for (var i = 0; i < 5; i++)
            await Recorder.DrainAsync(default);
        Assert.That(await SentAsync(), Is.Empty);
        _channel.Outcome = new DeliveryOutcome.Delivered();
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.That((await _channel.NextAsync()).Entries.Select(entry => entry.RuleId), Has.One.EqualTo("r"));
    }

    [Test]
    public async Task Defect_of_a_channel_does_not_end_the_sending()
    {
        _channel.Defect = new InvalidOperationException("a defect");
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        await _channel.NextAsync();
        await SentAsync();
        _channel.Defect = null;
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await _channel.NextAsync()).Entries.Select(entry => entry.RuleId), Has.One.EqualTo("r"));
    }

    [Test]
    public async Task Database_that_hangs_holds_a_critical_message_up_for_no_more_than_fifteen_seconds()
    {
        await CheckAsync();
        _gate.Freeze();
        var began = TimeProvider.System.GetTimestamp();
        var check = CheckAsync(Found(Severity.Critical));
        Assert.That(await SubjectsToldAsync(), Is.EqualTo(new[] { "s" }));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(15)));
        await check;
        _gate.Thaw();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.StartsWith("r opened critical delivered "));
    }

    [Test]
    public async Task Escalation_whose_commit_went_through_unheard_is_told_once()
    {
        await new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);
        await CheckAsync(Found(Severity.High));
        await MarkAllDeliveredAsync();
        var cut = _gate.CutNextCommitAsync(CommitCut.Answered, default, andClose: true);
        await CheckAsync(Found(Severity.Critical));
        await cut;
        Assert.That((await _channel.NextAsync()).Entries.Where(entry => entry.RuleId == "r").Select(entry => entry.Kind), Is.EqualTo(new[] { ChangeKind.Escalated }));
        await SentAsync();
        Assert.That(await ClaimAsync(), Is.Empty);
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.StartsWith("r escalated critical delivered "));
    }

    private async Task MarkAllDeliveredAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("UPDATE notifications SET status = 'delivered', delivered_at = created_at, message_id = notification_id");
    }

    [Test]
    public async Task Event_whose_opening_commit_was_found_on_the_second_try_is_known_when_the_database_goes_away_next()
    {
        await CheckAsync();
        var cut = _gate.CutNextCommitAsync(CommitCut.Answered, default);
        await CheckAsync(Found(Severity.Critical));
        await cut;
        Assert.That(Recorder.Waiting, Is.Zero);
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        Assert.That(await SubjectsToldAsync(), Is.Empty);
    }

    [Test]
    public async Task Clean_checks_count_for_what_is_expected_however_often_the_database_is_asked()
    {
        await CheckAsync(Found(Severity.Critical));
        await LearnAsync();
        await CheckAsync();
        await CheckAsync();
        _clock.Advance(TimeSpan.FromMinutes(1));
        await LearnAsync();
        _gate.Close();
        await CheckAsync();
        await CheckAsync(Found(Severity.Critical));
        var told = (await _channel.NextAsync()).Entries.ToList();
        while (!told.Exists(entry => entry.Subject == "s")) // the third clean check ended the first event
            told.AddRange((await _channel.NextAsync()).Entries);
        Assert.That(told.Select(entry => (entry.RuleId, entry.Kind)), Is.EqualTo(new[] { ("database.away", ChangeKind.Opened), ("r", ChangeKind.Opened) }));
    }

    // What the outbox of this worker would send now; it reaches the database beside the gate.
    private Task<IReadOnlyList<ClaimedMessage>> ClaimAsync() => new DatabaseOutbox(
        new NotificationClaims(_db), new NotificationChannelTable(_db), new ChannelListener(new DatabaseOptions(_connection)), _services.GetRequiredService<OtherHands>(),
        new NotificationOptions(TimeSpan.Zero, TimeSpan.FromHours(24), []), new ChannelOptions(null, null, null, null, null, null, null), new WorkerIdentity("test"), _clock)
        .ClaimAsync(_channel.Name, 8, [], default);

    [Test]
    public async Task Finding_whose_commit_went_through_unheard_right_before_the_outage_is_told_once()
    {
        await new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);
        await CheckAsync();
        var cut = _gate.CutNextCommitAsync(CommitCut.Answered, default, andClose: true);
        await CheckAsync(Found(Severity.Critical));
        await cut;
        var sent = await _channel.NextAsync();
        Assert.That(sent.Entries.Select(entry => entry.RuleId), Has.One.EqualTo("r"));
        await SentAsync();
        Assert.That(await RowsAsync(), Is.EqualTo(new[] { "r opened critical pending" }), "the commit went through");
        Assert.That(await ClaimAsync(), Is.Empty, "what went out directly is not sent by the outbox, however soon that is back");
        var killed = Copy();
        try
        {
            await using (var dead = _services)
                _services = Build(killed);
            await Recorder.StartingAsync(default);
            Assert.That(await ClaimAsync(), Is.Empty, "nor by the next process");
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That(await RowsAsync(), Has.One.EqualTo($"r opened critical delivered {sent.NotificationId}"));
            Assert.That((await ClaimAsync()).SelectMany(claimed => claimed.Message.Entries).Select(entry => entry.RuleId), Has.None.EqualTo("r"));
            Assert.That(_services.GetRequiredService<OtherHands>().Ids, Is.Empty);
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    private async Task LearnAsync()
    {
        var view = await _services.GetRequiredService<EventsMirror>().ReadIfDueAsync(default);
        _services.GetRequiredService<DirectSender>().Learn(view!);
    }

    // Of the first message of an outage, which always tells of the outage too.
    private async Task<IEnumerable<string>> SubjectsToldAsync() => (await _channel.NextAsync()).Entries.Where(entry => entry.RuleId == "r").Select(entry => entry.Subject);

    [Test]
    public async Task What_another_worker_announced_is_not_announced_again_and_what_it_saw_end_is()
    {
        await CheckAsync(Found(Severity.Critical, "mine"));
        var journal = TestFolder.Create();
        await using (var other = Build(journal))
            for (var i = 0; i < 3; i++)
                await other.GetRequiredService<QueueingRecorder>().RecordAsync(ResultSample.Of("m", Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, [Found(Severity.Critical, "theirs")], []), default);
        TestFolder.Delete(journal);
        await LearnAsync();
        _gate.Close();
        await CheckAsync(Found(Severity.Critical, "theirs"), Found(Severity.Critical, "mine"));
        Assert.That(await SubjectsToldAsync(), Is.EqualTo(new[] { "mine" }));
    }

    [TestCase(59, "new")]
    [TestCase(60, "known", "new", Description = "rather twice than never")]
    public async Task Worker_that_starts_while_the_database_is_away_knows_what_was_announced_within_the_last_hour(int minutes, params string[] told)
    {
        await CheckAsync(Found(Severity.Critical, "known"));
        _gate.Close();
        _clock.Advance(TimeSpan.FromMinutes(minutes - 1));
        var copy = Copy();
        try
        {
            await using (var dead = _services)
                _services = Build(copy);
            await CheckAsync(Found(Severity.Critical, "known"), Found(Severity.Critical, "new"));
            Assert.That(await SubjectsToldAsync(), Is.EqualTo(told));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(copy);
        }
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("{\"at\":")]
    [TestCase("{\"at\":\"2026-11-21T12:00:00Z\"}")]
    public async Task Damaged_memory_of_what_was_announced_is_none(string content)
    {
        File.WriteAllText(Path.Combine(_journal, "known-events.json"), content);
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        Assert.That(await SubjectsToldAsync(), Is.EqualTo(new[] { "s" }));
        Assert.That(_logs.Lines.Select(line => line.Text), Has.Some.Contains("known-events.json cannot be read"));
    }

    [Test]
    public async Task What_is_silenced_is_left_to_the_outbox()
    {
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("INSERT INTO silences (silence_id, fingerprint, until, created_by, created_at) VALUES (gen_random_uuid(), @Fingerprint, @until, 'o', @Noon)",
                new { Found(Severity.Critical).Fingerprint, until = Noon.AddHours(1), Noon });
        await LearnAsync();
        _gate.Close();
        await CheckAsync(Found(Severity.Critical), Found(Severity.Critical, "other"));
        Assert.That(await SubjectsToldAsync(), Is.EqualTo(new[] { "other" }));
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.EqualTo("r opened critical pending"));
    }

    [Test]
    public void Ids_follow_from_what_they_name()
    {
        var id = StableId.Of(Noon, "a", "b");
        Assert.That((StableId.Of(Noon, "a", "b"), id.Version), Is.EqualTo((id, 7)));
        Assert.That(new[] { id, StableId.Of(Noon, "ab"), StableId.Of(Noon, "b", "a"), StableId.Of(Noon.AddTicks(1), "a", "b") }, Is.Unique);
    }

    private sealed class RecordingChannel : INotificationChannel
    {
        private readonly System.Threading.Channels.Channel<NotificationMessage> _sent = System.Threading.Channels.Channel.CreateUnbounded<NotificationMessage>();

        public string Name => "test";

        public DeliveryOutcome Outcome { get; set; } = new DeliveryOutcome.Delivered();

        public Exception? Defect { get; set; }

        public Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken)
        {
            var (outcome, defect) = (Outcome, Defect);
            _sent.Writer.TryWrite(message);
            return defect is null ? Task.FromResult(outcome) : Task.FromException<DeliveryOutcome>(defect);
        }

        public async Task<NotificationMessage> NextAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System); // ends a test that would hang
            return await _sent.Reader.ReadAsync(patience.Token);
        }

        public List<NotificationMessage> TakeAll()
        {
            var all = new List<NotificationMessage>();
            while (_sent.Reader.TryRead(out var message))
                all.Add(message);
            return all;
        }
    }
}
