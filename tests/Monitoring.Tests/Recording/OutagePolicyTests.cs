using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Watching;

namespace Monitoring.Tests.Recording;

/// <summary>Inhibition, reminders and flapping while the database is away: decided as the database will, and stored once.</summary>
public sealed class OutagePolicyTests : OutageNotifierFixture
{
    private protected override RuleCatalog Rules { get; } = new(
    [
        EngineRules.DatabaseAway, EngineRules.Stale,
        RuleSample.With("all", EventLifetime.Condition) with { Inhibits = ["r"] }, RuleSample.With("r", EventLifetime.Condition),
    ]);

    private static Finding Speaking(params string[] covers) =>
        ResultSample.Finding("all", "market", Severity.Critical) with { Covers = covers };

    private Task TickAsync()
    {
        _clock.Advance(TimeSpan.FromMinutes(1));
        return Recorder.RecordAsync(
            ResultSample.Of(WatchdogMonitor.MonitorName, Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, [], []), default);
    }

    private async Task<List<string>> SentTextsAsync() => Texts(await SentAsync());

    private static List<string> Texts(IEnumerable<NotificationMessage> messages) => [.. messages.SelectMany(message => message.Entries)
        .Where(entry => entry.RuleId is "all" or "r").Select(entry => $"{entry.Subject} {entry.Kind}".ToLowerInvariant())];

    private async Task<string[]> StoredAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<string>("SELECT concat_ws(' ', subject, n.kind, n.status) FROM notifications AS n "
            + "JOIN security_events USING (event_id) WHERE rule_id <> 'database.away' ORDER BY seq")];
    }

    private Task ReturnAsync()
    {
        _gate.Open();
        return Recorder.DrainAsync(default);
    }

    [Test]
    public async Task What_is_inhibited_does_not_leave_and_what_is_open_leaves_when_the_one_that_speaks_ends()
    {
        _gate.Close();
        await CheckAsync(Speaking("a", "b"), Found(Severity.Critical, "a"), Found(Severity.Critical, "b"), Found(Severity.Critical, "c"));
        Assert.That(await SentTextsAsync(), Is.EquivalentTo(new[] { "market opened", "c opened" }));
        for (var i = 0; i < 3; i++)
            await CheckAsync(Found(Severity.Critical, "a"), Found(Severity.Critical, "c"));
        Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "a opened" }));
        await ReturnAsync();
        Assert.That(await StoredAsync(), Is.EquivalentTo(new[]
        {
            "market opened delivered", "c opened delivered", "a opened delivered", "b opened inhibited", "market resolved pending",
        }));
    }

    [Test]
    public async Task Worker_killed_in_the_outage_leaves_the_same_to_the_next()
    {
        _gate.Close();
        await CheckAsync(Speaking("a"), Found(Severity.Critical, "a"));
        Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "market opened" }));
        var killed = Copy();
        await RestartAsync(killed);
        try
        {
            await CheckAsync(Speaking("a"), Found(Severity.Critical, "a"));
            Assert.That(await SentTextsAsync(), Is.Empty);
            for (var i = 0; i < 3; i++)
                await CheckAsync(Found(Severity.Critical, "a"));
            Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "a opened" }));
            await ReturnAsync();
            Assert.That(await StoredAsync(), Is.EqualTo(new[]
            {
                "market opened delivered", "a opened delivered", "market resolved pending",
            }));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task What_was_inhibited_before_the_outage_leaves_when_the_one_that_speaks_ends_in_it()
    {
        await CheckAsync(Speaking("a"), Found(Severity.Critical, "a"));
        _gate.Close();
        for (var i = 0; i < 3; i++)
            await CheckAsync(Found(Severity.Critical, "a"));
        Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "a opened" }));
        await ReturnAsync();
        Assert.That(await StoredAsync(), Has.One.EqualTo("a opened delivered").And.One.EqualTo("market opened pending"));
    }

    [Test]
    public async Task Event_that_is_taken_back_in_the_outage_waits_for_the_one_that_speaks()
    {
        _channel.Answer = new TaskCompletionSource().Task; // never
        _gate.Close();
        await CheckAsync(Found(Severity.Critical, "first"));
        await _channel.NextAsync();
        await CheckAsync(Found(Severity.Critical, "first"), Speaking("first", "a"), Found(Severity.Critical, "a"));
        Assert.That(Texts([await _channel.NextAsync()]), Is.EqualTo(new[] { "market opened" }));
    }

    [Test]
    public async Task Outage_speaks_for_the_blindness_of_monitors_whose_own_checks_succeed_and_of_no_other()
    {
        await new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);
        _services.GetRequiredService<SessionStatistics>().Count(ResultSample.Of("m", Noon, CheckOutcome.Succeeded, [], []).Run);
        _gate.Close();
        await CheckAsync();
        Finding[] stale =
            [ResultSample.Finding("monitor.stale", "m", Severity.High), ResultSample.Finding("monitor.stale", "b", Severity.High)];
        await Recorder.RecordAsync(
            ResultSample.Of(WatchdogMonitor.MonitorName, Noon.AddMinutes(1), CheckOutcome.Succeeded, stale, []), default);
        await ReturnAsync();
        Assert.That(await ClaimedAsync(), Is.EqualTo(new[] { "b" }));
        for (var i = 0; i < 4; i++) // until the outage's own event is resolved
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            Recorder.Look();
            await Recorder.DrainAsync(default);
        }

        Assert.That(await ClaimedAsync(), Has.Member("m"));
    }

    // What the outbox of the database would send, and has not claimed before.
    private async Task<List<string>> ClaimedAsync() => [.. (await ClaimAsync()).SelectMany(claimed => claimed.Message.Entries)
        .Where(entry => entry.RuleId == EngineRules.Stale.Id).Select(entry => entry.Subject)];

    [Test]
    public async Task People_are_reminded_in_the_outage_once_over_a_death_of_the_worker_and_it_is_stored_so()
    {
        await CheckAsync(Found(Severity.Critical, "a"));
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync(
                "UPDATE notifications SET status = 'delivered', delivered_at = created_at, message_id = notification_id");
        _gate.Close();
        for (var i = 0; i < 35; i++)
            await TickAsync();
        Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "a reminded" }));
        var killed = Copy();
        await RestartAsync(killed);
        try
        {
            for (var i = 0; i < 30; i++)
                await TickAsync();
            Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "a reminded" }));
            await ReturnAsync();
            for (var i = 0; i < 20; i++)
                await TickAsync();
            Assert.That(await StoredAsync(), Is.EqualTo(new[]
            {
                "a opened delivered", "a reminded delivered", "a reminded delivered",
            }));
            for (var i = 0; i < 10; i++)
                await TickAsync();
            Assert.That(await StoredAsync(), Has.Exactly(3).Contains("a reminded").And.One.EqualTo("a reminded pending"));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }

    [Test]
    public async Task Fourth_opening_is_recognised_in_the_outage_also_by_a_worker_that_starts_in_it()
    {
        for (var i = 0; i < 2; i++)
        {
            await CheckAsync(Found(Severity.Critical, "a"));
            for (var clean = 0; clean < 3; clean++)
                await CheckAsync();
        }

        _gate.Close();
        await CheckAsync(Found(Severity.Critical, "a"));
        Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "a opened" }));
        for (var clean = 0; clean < 3; clean++)
            await CheckAsync();
        var killed = Copy();
        await RestartAsync(killed);
        try
        {
            await CheckAsync(Found(Severity.Critical, "a"));
            Assert.That(await SentTextsAsync(), Is.EqualTo(new[] { "a flapping" }));
            await ReturnAsync();
            Assert.That((await StoredAsync())[^1], Is.EqualTo("a flapping delivered"));
        }
        finally
        {
            await _services.DisposeAsync();
            TestFolder.Delete(killed);
        }
    }
}
