using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Tests.Events;
using Monitoring.Worker.Notifications;

namespace Monitoring.Tests.Recording;

/// <summary>One notifier, before, in and after an outage: it reads the database's outbox and that of its process in turn.</summary>
public sealed class OutboxSwitchTests : OutageNotifierFixture
{
    private protected override bool ClaimsFromDatabase => true;

    [SetUp]
    public Task Register() => new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);

    [TestCase(false)]
    [TestCase(true)]
    public async Task Delivery_that_the_outage_keeps_from_being_marked_is_stored_after_it_and_never_repeated(bool killed)
    {
        var answer = new TaskCompletionSource();
        _channel.Answer = answer.Task;
        await CheckAsync(Found(Severity.Critical));
        await WakeAsync();
        var fromDatabase = await _channel.NextAsync();
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        var offline = await _channel.NextAsync();
        Assert.That(offline.Entries.Select(entry => entry.RuleId), Is.EqualTo(new[] { "database.away" }));
        answer.SetResult();
        Assert.That(await SentAsync(), Is.Empty);
        var copy = Copy();
        try
        {
            if (killed)
                await RestartAsync(copy);
            _gate.Open();
            await Recorder.DrainAsync(default);
            Assert.That(await SentAsync(), Is.Empty);
            Assert.That(await RowsAsync(), Is.EquivalentTo(new[]
            {
                $"r opened critical delivered {fromDatabase.NotificationId}",
                $"database.away opened high delivered {offline.NotificationId}",
            }));
            Assert.That(_services.GetRequiredService<InFlightClaims>().Ids, Is.Empty);
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(copy);
        }
    }

    [Test]
    public async Task Sender_that_waits_for_a_database_that_hangs_goes_on_without_it()
    {
        await CheckAsync();
        _gate.Freeze();
        await WakeAsync();
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
    public async Task What_was_not_sent_in_the_outage_is_sent_after_it_by_the_same_notifier()
    {
        _gate.Close();
        await CheckAsync(Found(Severity.High), Found(Severity.Critical, "urgent"));
        Assert.That(await SubjectsNotifiedAsync(), Is.EqualTo(new[] { "urgent" }));
        await SentAsync();
        _gate.Open();
        await Recorder.DrainAsync(default);
        Assert.That((await SentAsync()).SelectMany(message => message.Entries).Select(entry => entry.Subject), Is.EqualTo(new[] { "s" }));
        Assert.That(await RowsAsync(), Has.Exactly(3).Items.And.All.Contains(" delivered "));
    }

    [Test]
    public async Task Pause_that_the_service_asked_for_in_the_outage_holds_after_it()
    {
        var wait = TimeSpan.FromMinutes(10);
        _channel.Outcome = new DeliveryOutcome.Retry("HTTP 429", wait);
        _gate.Close();
        await CheckAsync(Found(Severity.Critical));
        var refused = await _channel.NextAsync();
        await _services.GetRequiredService<OfflineOutbox>().HoldAsync(default); // until it is marked
        _services.GetRequiredService<OfflineOutbox>().Release();
        var until = _clock.GetUtcNow() + wait;
        _gate.Open();
        await Recorder.DrainAsync(default);
        _channel.Outcome = new DeliveryOutcome.Delivered();
        var repeated = _channel.NextAsync();
        await _clock.AdvanceUntilDoneAsync(repeated, TimeSpan.FromMinutes(1));
        Assert.That((await repeated).NotificationId, Is.EqualTo(refused.NotificationId));
        Assert.That(_clock.GetUtcNow(), Is.GreaterThanOrEqualTo(until));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Critical_finding_does_not_wait_behind_the_backlog_of_an_outage(bool killed)
    {
        _gate.Close();
        await CheckAsync(Found(Severity.Medium));
        while (_minute < 1500)
            Recorder.Record(ResultSample.Of("m", Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, [Found(Severity.Medium)], []));
        Assert.That((await _channel.NextAsync()).Entries.Single().RuleId, Is.EqualTo("database.away"));
        var copy = Copy();
        try
        {
            if (killed)
                await RestartAsync(copy);
            _gate.Open();
            var drain = Recorder.DrainAsync(default);
            await TestWait.UntilAsync(() => Recorder.Waiting < 1500, "the backlog is being written");
            Recorder.Record(ResultSample.Of(
                "m", Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, [Found(Severity.Critical, "urgent")], []));
            var message = await NextOfAsync("urgent");
            Assert.That(Recorder.Waiting, Is.GreaterThan(0), "it left before its turn came");
            await drain;
            Assert.That((await SentAsync()).SelectMany(later => later.Entries).Select(entry => entry.Subject), Has.None.EqualTo("urgent"));
            Assert.That(await RowsAsync(), Has.One.EqualTo($"r opened critical delivered {message.NotificationId}"));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(copy);
        }
    }

    private async Task<NotificationMessage> NextOfAsync(string subject)
    {
        while (true)
            if (await _channel.NextAsync() is var message && message.Entries.Any(entry => entry.Subject == subject))
                return message;
    }
}
