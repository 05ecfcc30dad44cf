using Dapper;
using Monitoring.Data.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Notifications;

/// <summary>What is open and that nobody has acknowledged is repeated, and further routes are asked.</summary>
[TestFixture(true)]
[TestFixture(false)]
public sealed class ReminderTests(bool inDatabase) : NotifiedEventsFixture(inDatabase)
{
    private static readonly NotificationRoute Pager = new("pager", ["slack"], Severity.High, [], []) { After = 900 };

    private static EventOptions RemindingOf(Severity severity, int minutes) => new(3, Severity.High)
    {
        Remind = new Dictionary<Severity, TimeSpan> { [severity] = TimeSpan.FromMinutes(minutes) },
    };

    private async Task<List<string>> SentWhileWatchingAsync(int minutes, string channel = "webhook")
    {
        var sent = new List<string>();
        for (var minute = 1; minute <= minutes; minute++)
        {
            await WatchAsync(1);
            sent.AddRange((await SentAsync(channel)).Select(text => $"{minute} {text}"));
        }

        return sent;
    }

    [Test]
    public async Task Critical_event_is_repeated_every_half_hour_until_it_ends()
    {
        await CheckAsync(Found("r", "a", Severity.Critical), Found("r", "b"));
        await SentAsync();
        Assert.That(await SentWhileWatchingAsync(70), Is.EqualTo(new[] { "30 a reminded", "60 a reminded" }));
        await ResolveAsync();
        await SentAsync();
        Assert.That(await SentWhileWatchingAsync(70), Is.Empty);
    }

    [Test]
    public async Task Each_severity_has_its_own_time()
    {
        await StartWorkerAsync(RemindingOf(Severity.High, 10));
        await CheckAsync(Found("r", "a"), Found("r", "b", Severity.Critical));
        await SentAsync();
        Assert.That(await SentWhileWatchingAsync(15), Is.EqualTo(new[] { "10 a reminded" }));
    }

    [Test]
    public async Task Escalation_begins_the_time_anew()
    {
        await CheckAsync(Found("r", "a"));
        await SentAsync();
        await SentWhileWatchingAsync(20);
        await CheckAsync(Found("r", "a", Severity.Critical));
        await SentAsync();
        Assert.That(await SentWhileWatchingAsync(35), Is.EqualTo(new[] { "30 a reminded" }));
    }

    [Test]
    public async Task Route_is_added_when_nobody_acknowledged_in_time_and_the_others_hear_nothing_of_it()
    {
        await StartWorkerAsync(null, Pager);
        await CheckAsync(Found("r", "a"), Found("r", "b", Severity.Low));
        Assert.That(await SentAsync("slack"), Is.Empty);
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a opened" }));
        Assert.That(await SentWhileWatchingAsync(20, "slack"), Is.EqualTo(new[] { "15 a reminded" }));
        Assert.That(await SentAsync(), Is.Empty);
        await CheckAsync(Found("r", "a", Severity.Critical));
        Assert.That(await SentAsync("slack"), Is.EqualTo(new[] { "a escalated" }), "from then on it belongs to it");
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a escalated" }));
        await ResolveAsync();
        Assert.That(await SentAsync("slack"), Is.EqualTo(new[] { "a resolved" }));
    }

    [Test]
    public async Task What_is_inhibited_is_not_repeated()
    {
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a"), Found("x.coin", "a", Severity.Critical));
        await SentAsync();
        Assert.That(await SentWhileWatchingAsync(40), Is.EqualTo(new[] { "30 market reminded" }));
    }
}

/// <summary>Reminders over acknowledgements, silences, restarts, and with several workers.</summary>
public sealed class StoredReminderTests() : NotifiedEventsFixture(inDatabase: true)
{
    private static readonly NotificationRoute Pager = new("pager", ["slack"], Severity.High, [], []) { After = 900 };

    private async Task OpenAsync(params NotificationRoute[] routes)
    {
        await StartWorkerAsync(null, routes);
        await CheckAsync(Found("r", "a", Severity.Critical));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a opened" }));
    }

    [TestCase("acknowledge", "a acknowledged")]
    [TestCase("resolve", "a resolved")]
    public async Task Nobody_is_reminded_of_what_was_acknowledged_or_resolved(string action, string last)
    {
        await OpenAsync(Pager);
        await WatchAsync(10);
        await ActAsync(action, "a");
        await WatchAsync(60);
        Assert.That((await SentAsync(), await SentAsync("slack")), Is.EqualTo((new List<string> { last }, new List<string>())));
    }

    [Test]
    public async Task Nobody_is_reminded_of_what_is_silenced_and_later_only_when_the_time_is_over_again()
    {
        await OpenAsync();
        await SilenceAsync("r:a", minutes: 40);
        await WatchAsync(40);
        Assert.That(await SentAsync(), Is.Empty);
        await WatchAsync(10);
        Assert.That(await SentAsync(), Is.Empty);
        await WatchAsync(10);
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a reminded" }));
    }

    [Test]
    public async Task Event_that_a_check_writes_just_now_is_left_to_the_next_time()
    {
        await OpenAsync();
        await using (var connection = await _db!.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await connection.ExecuteAsync("SELECT event_id FROM security_events FOR UPDATE");
            await WatchAsync(35);
            Assert.That(await SentAsync(), Is.Empty);
        }

        await WatchAsync(1);
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a reminded" }));
    }

    [Test]
    public async Task Two_workers_remind_once_and_ask_a_route_once()
    {
        await OpenAsync(Pager);
        var (one, two) = (await StartWorkerAsync(null, Pager), await StartWorkerAsync(null, Pager));
        for (var minute = 0; minute < 65; minute++)
        {
            _clock.Advance(TimeSpan.FromMinutes(1));
            var at = _clock.GetUtcNow();
            await Task.WhenAll(Task.Run(() => one(Tick(at))), Task.Run(() => two(Tick(at))));
            if (minute == 35)
                Assert.That((await SentAsync(), await SentAsync("slack")),
                    Is.EqualTo((new List<string> { "a reminded" }, new List<string> { "a reminded" })), "what waits is not repeated");
        }

        Assert.That((await SentAsync(), await SentAsync("slack")),
            Is.EqualTo((new List<string> { "a reminded" }, new List<string> { "a reminded" })));
    }

    [Test]
    public async Task Next_worker_reminds_when_the_first_one_would_have()
    {
        await OpenAsync(Pager);
        await WatchAsync(10);
        await StartWorkerAsync(null, Pager);
        await WatchAsync(10);
        Assert.That((await SentAsync(), await SentAsync("slack")), Is.EqualTo((new List<string>(), new List<string> { "a reminded" })));
        await StartWorkerAsync(null, Pager);
        await WatchAsync(15);
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a reminded" }));
    }

    [Test]
    public async Task Nobody_is_reminded_of_what_still_waits_to_be_said()
    {
        await CheckAsync(Found("r", "a", Severity.Critical));
        await WatchAsync(70);
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a opened" }));
        await WatchAsync(30);
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a reminded" }));
    }

    [Test]
    public async Task Reminder_is_a_change_of_the_event()
    {
        await OpenAsync();
        await WatchAsync(30);
        Assert.That(await QueryAsync("SELECT concat_ws(' ', kind, severity, actor, note) FROM security_event_changes ORDER BY seq"),
            Is.EqualTo(new[]
            {
                "opened critical worker Critical a",
                "reminded critical worker open for 30 min, and nobody has acknowledged it; now 1.25 (12:00:00 UTC), the worst so far",
            }));
    }
}
