using Dapper;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;

namespace Monitoring.Tests.Recording;

/// <summary>What leaves while the database is away, and what becomes of it when it is back.</summary>
public sealed class OutageNotifierTests : OutageNotifierFixture
{
    [Test]
    public async Task Critical_finding_and_the_outage_leave_at_once_and_are_stored_as_delivered()
    {
        _gate.Close();
        await CheckAsync();
        var outage = await _channel.NextAsync();
        Assert.That(outage.Entries.Single(),
            Has.Property("RuleId").EqualTo("database.away").And.Property("Kind").EqualTo(ChangeKind.Opened));
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
            $"database.away opened high delivered {outage.NotificationId}", $"r opened critical delivered {critical.NotificationId}",
            "r opened high pending", "r resolved high pending",
        }));
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<Guid>("SELECT event_id FROM security_events WHERE subject = 's'"),
            Is.EqualTo(critical.Entries[0].EventId));
        for (var i = 0; i < 3; i++)
            await CheckAsync();
        Assert.That(await RowsAsync(), Has.One.EqualTo("r resolved critical pending"),
            "who was notified of the opening is notified of the end");
    }

    [Test]
    public async Task Event_that_becomes_critical_during_the_outage_is_opened_by_one_message()
    {
        _gate.Close();
        await CheckAsync(Found(Severity.High));
        Assert.That((await _channel.NextAsync()).Entries.Single().RuleId, Is.EqualTo("database.away"));
        await CheckAsync(Found(Severity.Critical));
        Assert.That((await _channel.NextAsync()).Entries.Single(),
            Has.Property("Kind").EqualTo(ChangeKind.Opened).And.Property("Severity").EqualTo(Severity.Critical));
        await SentAsync();
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That((await RowsAsync()).Where(row => row.StartsWith("r ", StringComparison.Ordinal)),
            Has.Exactly(2).Items.And.All.Contains(" delivered "));
    }

    [Test]
    public async Task Critical_event_that_grows_worse_during_the_outage_is_told_and_stored_as_delivered()
    {
        Finding Measured(decimal value) => Found(Severity.Critical) with
        {
            Title = $"was {value}", Measure = new FindingMeasure("v", value, "USD", 1),
        };
        await CheckAsync(Measured(10));
        _gate.Close();
        await CheckAsync(Measured(12));
        Assert.That((await _channel.NextAsync()).Entries.Single().RuleId, Is.EqualTo("database.away"));
        await CheckAsync(Measured(20));
        var worsened = await _channel.NextAsync();
        Assert.That((worsened.Entries.Single().Kind, worsened.Entries.Single().Title), Is.EqualTo((ChangeKind.Worsened, "was 20")));
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.EqualTo($"r worsened critical delivered {worsened.NotificationId}"));
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<(string, decimal)>(
            "SELECT title, worst_value FROM security_events WHERE rule_id = 'r'"), Is.EqualTo(("was 20", 20m)));
    }

    [Test]
    public async Task Worker_killed_during_the_outage_sends_no_second_opening()
    {
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        var sent = await _channel.NextAsync();
        Assert.That(sent.Entries.Select(entry => entry.RuleId), Is.EquivalentTo(new[] { "database.away", "r" }),
            "what comes together is one message");
        Assert.That(await SentAsync(), Is.Empty);
        var killed = Copy();
        await RestartAsync(killed);
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
            await RestartAsync(killed);
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
        Assert.That(sent.Entries.Select(entry => (entry.Subject, entry.Kind)).Where(entry => entry.Subject is "known" or "rising"),
            Is.EqualTo(new[] { ("rising", ChangeKind.Escalated) }));
        await SentAsync();
        var killed = Copy();
        try
        {
            await RestartAsync(killed);
            await CheckAsync(Found(Severity.Critical, "known"), Found(Severity.Critical, "rising"));
            Assert.That((await SentAsync()).SelectMany(message => message.Entries).Select(entry => entry.Subject),
                Has.None.EqualTo("known").And.None.EqualTo("rising"), "also after a restart");
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That(await RowsAsync(),
                Has.One.EqualTo($"r escalated critical delivered {sent.NotificationId}").And.One.EqualTo("r opened critical pending")
                    .And.One.EqualTo($"r opened high delivered {sent.NotificationId}"),
                "the opening that still waited would come after it");
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
            $"r opened critical pending {tried.NotificationId}",
            $"database.away opened high pending {tried.NotificationId}", "r opened high pending",
        }));
        var repeated = (await ClaimAsync()).Single(claimed => claimed.Message.NotificationId == tried.NotificationId);
        Assert.That(repeated.Message.Entries.Select(entry => (entry.EventId, entry.Kind)),
            Is.EquivalentTo(tried.Entries.Select(entry => (entry.EventId, entry.Kind))));
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
            await RestartAsync(killed);
            _channel.TakeAll();
            _channel.Outcome = new DeliveryOutcome.Delivered();
            await CheckAsync(Found(Severity.Critical, "first"), Found(Severity.Critical, "second"));
            List<NotificationMessage> sent = [await _channel.NextAsync(), await _channel.NextAsync()];
            var repeated = sent.Single(message => message.NotificationId == tried.NotificationId);
            Assert.That(repeated.Entries.Select(entry => (entry.EventId, entry.Kind)),
                Is.EqualTo(tried.Entries.Select(entry => (entry.EventId, entry.Kind))));
            Assert.That(sent.Single(message => message != repeated).Entries.Select(entry => entry.Subject),
                Has.One.EqualTo("second").And.None.EqualTo("first"));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task Worker_killed_after_it_claimed_and_started_with_the_database_back_leaves_the_same_message_to_the_outbox()
    {
        await new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);
        _channel.Answer = new TaskCompletionSource().Task; // never
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        var tried = await _channel.NextAsync();
        var killed = Copy();
        try
        {
            await using (var dead = _services)
                _services = Build(killed);
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That(await RowsAsync(), Has.Exactly(2).Items.And.All.EndsWith($" pending {tried.NotificationId}"));
            var repeated = (await ClaimAsync()).Single().Message;
            Assert.That(repeated.NotificationId, Is.EqualTo(tried.NotificationId));
            Assert.That(repeated.Entries.Select(entry => entry.EventId), Is.EquivalentTo(tried.Entries.Select(entry => entry.EventId)));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task Results_are_stored_when_what_is_under_way_without_the_database_has_ended()
    {
        var answer = new TaskCompletionSource();
        _channel.Answer = answer.Task;
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        var sent = await _channel.NextAsync();
        _gate.Open();
        var drain = Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Is.Empty);
        Assert.That(drain.IsCompleted, Is.False);
        answer.SetResult();
        await drain;
        Assert.That(await RowsAsync(), Is.EquivalentTo(new[]
        {
            $"database.away opened high delivered {sent.NotificationId}", $"r opened critical delivered {sent.NotificationId}",
        }));
    }

    // The sender may begin to wait only after the clock was moved.
    private async Task<NotificationMessage> NextWhileTimePassesAsync(TimeSpan step)
    {
        var next = _channel.NextAsync();
        await _clock.AdvanceUntilDoneAsync(next, step);
        return await next;
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
        Assert.That(_channel.TakeAll(), Is.Empty);
        _channel.Outcome = new DeliveryOutcome.Delivered();
        Assert.That((await NextWhileTimePassesAsync(TimeSpan.FromMinutes(10))).Entries.Select(entry => entry.RuleId), Has.One.EqualTo("r"));
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
        Assert.That((await NextWhileTimePassesAsync(TimeSpan.FromSeconds(1))).Entries.Select(entry => entry.RuleId), Has.One.EqualTo("r"));
    }

    [Test]
    public async Task Database_that_hangs_holds_a_critical_message_up_for_no_more_than_fifteen_seconds()
    {
        await CheckAsync();
        _gate.Freeze();
        var began = TimeProvider.System.GetTimestamp();
        var check = CheckAsync(Found(Severity.Critical));
        Assert.That(await SubjectsNotifiedAsync(), Is.EqualTo(new[] { "s" }));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(15)));
        await check;
        _gate.Thaw();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.StartsWith("r opened critical delivered "));
    }

    [Test]
    public void Ids_follow_from_what_they_name()
    {
        var id = StableId.Of(Noon, "a", "b");
        Assert.That((StableId.Of(Noon, "a", "b"), id.Version), Is.EqualTo((id, 7)));
        Assert.That(new[] { id, StableId.Of(Noon, "ab"), StableId.Of(Noon, "b", "a"), StableId.Of(Noon.AddTicks(1), "a", "b") }, Is.Unique);
    }
}
