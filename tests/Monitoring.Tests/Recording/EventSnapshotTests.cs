using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Recording;

/// <summary>What a worker knows of the events when the database goes away, or is away at its start.</summary>
public sealed class EventSnapshotTests : OutageNotifierFixture
{
    [Test]
    public async Task Escalation_whose_commit_went_through_unheard_is_notified_once()
    {
        await new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);
        await CheckAsync(Found(Severity.High));
        await MarkAllDeliveredAsync();
        var cut = _gate.CutNextCommitAsync(CommitCut.Answered, default, andClose: true);
        await CheckAsync(Found(Severity.Critical));
        await cut;
        Assert.That((await _channel.NextAsync()).Entries.Where(entry => entry.RuleId == "r").Select(entry => entry.Kind),
            Is.EqualTo(new[] { ChangeKind.Escalated }));
        await SentAsync();
        Assert.That(await ClaimAsync(), Is.Empty);
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.StartsWith("r escalated critical delivered "));
    }

    private async Task MarkAllDeliveredAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(
            "UPDATE notifications SET status = 'delivered', delivered_at = created_at, message_id = notification_id");
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
        Assert.That(await SubjectsNotifiedAsync(), Is.Empty);
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
        var notified = (await _channel.NextAsync()).Entries.ToList();
        while (!notified.Exists(entry => entry.Subject == "s")) // the third clean check ended the first event
            notified.AddRange((await _channel.NextAsync()).Entries);
        Assert.That(notified.Select(entry => (entry.RuleId, entry.Kind)),
            Is.EqualTo(new[] { ("database.away", ChangeKind.Opened), ("r", ChangeKind.Opened) }));
    }

    [Test]
    public async Task Finding_whose_commit_went_through_unheard_right_before_the_outage_is_notified_once()
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
            await RestartAsync(killed);
            Assert.That(await ClaimAsync(), Is.Empty, "nor by the next process");
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That(await RowsAsync(), Has.One.EqualTo($"r opened critical delivered {sent.NotificationId}"));
            Assert.That((await ClaimAsync()).SelectMany(claimed => claimed.Message.Entries).Select(entry => entry.RuleId),
                Has.None.EqualTo("r"));
            Assert.That(_services.GetRequiredService<InFlightClaims>().Ids, Is.Empty);
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task What_another_worker_announced_is_not_announced_again_and_what_it_saw_end_is()
    {
        await CheckAsync(Found(Severity.Critical, "mine"));
        var journal = TestFolder.Create();
        await using (var other = Build(journal))
            for (var i = 0; i < 3; i++)
                await other.GetRequiredService<RecordingPipeline>().RecordAsync(
                    ResultSample.Of("m", Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, [Found(Severity.Critical, "theirs")], []),
                    default);
        TestFolder.Delete(journal);
        await LearnAsync();
        _gate.Close();
        await CheckAsync(Found(Severity.Critical, "theirs"), Found(Severity.Critical, "mine"));
        Assert.That(await SubjectsNotifiedAsync(), Is.EqualTo(new[] { "mine" }));
    }

    [TestCase(59, "new")]
    [TestCase(60, "known", "new", Description = "rather twice than never")]
    public async Task Worker_that_starts_while_the_database_is_away_knows_what_was_announced_within_the_last_hour(
        int minutes, params string[] notified)
    {
        await CheckAsync(Found(Severity.Critical, "known"));
        _gate.Close();
        _clock.Advance(TimeSpan.FromMinutes(minutes));
        var copy = Copy();
        try
        {
            await RestartAsync(copy);
            await CheckAsync(Found(Severity.Critical, "known"), Found(Severity.Critical, "new"));
            Assert.That(await SubjectsNotifiedAsync(), Is.EqualTo(notified));
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
        var copy = Copy();
        try
        {
            File.WriteAllText(Path.Combine(copy, "known-events.json"), content);
            await RestartAsync(copy);
            _gate.Close();
            await CheckAsync(Found(Severity.Critical));
            Assert.That(await SubjectsNotifiedAsync(), Is.EqualTo(new[] { "s" }));
            Assert.That(_logs.Lines.Select(line => line.Text), Has.Some.Contains("known-events.json cannot be read"));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(copy);
        }
    }

    [Test]
    public async Task What_is_silenced_is_left_to_the_outbox()
    {
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("INSERT INTO silences (silence_id, fingerprint, until, created_by, created_at) "
                + "VALUES (gen_random_uuid(), @Fingerprint, @until, 'o', @Noon)",
                new { Found(Severity.Critical).Fingerprint, until = Noon.AddHours(1), Noon });
        await LearnAsync();
        _gate.Close();
        await CheckAsync(Found(Severity.Critical), Found(Severity.Critical, "other"));
        Assert.That(await SubjectsNotifiedAsync(), Is.EqualTo(new[] { "other" }));
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.EqualTo("r opened critical pending"));
    }

    [Test]
    public async Task What_another_machine_sees_of_itself_is_not_for_this_one_to_resolve_while_that_one_is_there()
    {
        await CheckAsync(ResultSample.Finding("worker.failing", "here:recording", Severity.High),
            ResultSample.Finding("worker.failing", "there:recording", Severity.High));
        var events = _services.GetRequiredService<EventSnapshot>();
        IReadOnlyList<string> OfOthers() => events.OfOtherHosts(EngineRules.LoopFails, new WorkerIdentity("here/1"));
        Assert.That(OfOthers(), Is.EqualTo(new[] { "worker.failing:there:recording" }));
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.That(OfOthers(), Is.Empty, "whoever saw it is gone");
    }
}
