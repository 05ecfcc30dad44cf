using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Notifications;

/// <summary>One event speaks for others: they are stored, and notify nobody while it is open.</summary>
[TestFixture(true)]
[TestFixture(false)]
public sealed class InhibitionTests(bool inDatabase) : NotifiedEventsFixture(inDatabase)
{
    [Test]
    public async Task What_is_covered_notifies_nobody_and_everything_else_does()
    {
        await CheckAsync(
            Found("x.all", "market", Severity.Critical, "a", "b"), Found("x.coin", "a"), Found("other", "b"), Found("x.coin", "c"),
            Found("r", "a"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market opened", "c opened", "a opened" }));
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a", "b"), Found("x.coin", "b"));
        Assert.That(await SentAsync(), Is.Empty, "also what opens later");
    }

    [Test]
    public async Task What_has_not_left_yet_is_held_back_when_an_event_opens_that_speaks_for_it()
    {
        await CheckAsync(Found("x.coin", "a"));
        await CheckAsync(Found("x.coin", "a"), Found("x.all", "market", Severity.Critical, "a"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "market opened" }));
    }

    [Test]
    public async Task What_is_still_open_when_the_one_that_speaks_ends_notifies_then()
    {
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a", "b"), Found("x.coin", "a"), Found("x.coin", "b"));
        await ResolveAsync(Found("x.all", "market", Severity.Critical, "a", "b"), Found("x.coin", "a"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "market opened" }), "what ended under it is never heard of");
        await ResolveAsync(Found("x.coin", "a"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market resolved", "a opened" }));
        await ResolveAsync();
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a resolved" }));
    }

    [Test]
    public async Task What_ends_together_with_the_one_that_speaks_is_never_heard_of()
    {
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a"), Found("x.coin", "a"));
        await ResolveAsync();
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market opened", "market resolved" }));
    }

    [Test]
    public async Task End_of_what_was_announced_leaves_all_the_same()
    {
        await CheckAsync(Found("x.coin", "a"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a opened" }));
        await CheckAsync(Found("x.coin", "a"), Found("x.all", "market", Severity.Critical, "a"));
        await ResolveAsync(Found("x.all", "market", Severity.Critical, "a"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market opened", "a resolved" }));
    }

    [Test]
    public async Task What_is_worse_than_the_one_that_speaks_is_not_inhibited()
    {
        await CheckAsync(Found("x.all", "market", Severity.High, "a", "b"), Found("x.coin", "a", Severity.Critical), Found("x.coin", "b"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market opened", "a opened" }));
        await CheckAsync(Found("x.all", "market", Severity.High, "a", "b"), Found("x.coin", "b", Severity.Critical));
        Assert.That(await SentAsync(), Does.Contain("b escalated"));
    }

    [Test]
    public async Task Condition_speaks_for_what_it_covers_now()
    {
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a", "b"), Found("x.coin", "a"), Found("x.coin", "b"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "market opened" }));
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a"), Found("x.coin", "a"), Found("x.coin", "b"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "b opened" }));
    }

    [Test]
    public async Task Occurrence_speaks_for_all_that_it_has_covered()
    {
        await CheckAsync(Found("x.wide", "market", Severity.Critical, "a"), Found("x.coin", "a"));
        await CheckAsync(Found("x.wide", "market", Severity.Critical, "b"), Found("x.coin", "a"), Found("x.coin", "b"));
        await CheckAsync(Found("x.coin", "a"), Found("x.coin", "b"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "market opened" }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Events_of_several_monitors_are_inhibited_whichever_comes_first(bool speakerFirst)
    {
        if (speakerFirst)
            await CheckAsync("one", Found("x.all", "market", Severity.High, "a"));
        await CheckAsync("two", Found("other", "a"), Found("other", "b"));
        if (!speakerFirst)
            await CheckAsync("one", Found("x.all", "market", Severity.High, "a"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market opened", "b opened" }));
    }

    [Test]
    public async Task Switched_off_nothing_is_inhibited()
    {
        await StartWorkerAsync(new EventOptions(3, Severity.High) { Inhibit = false });
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a"), Found("x.coin", "a"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market opened", "a opened" }));
    }

    [Test]
    public void Rules_that_inhibit_or_are_of_the_vault_are_never_held_and_none_inhibits_itself()
    {
        var rules = DataSubjects.Rules;
        Assert.That(rules.NeverHeld,
            Does.Contain(EngineRules.DatabaseAway.Id).And.Contains("hlp.loss").And.Not.Contains("oracle.deviation"));
        Assert.That(rules.All.Where(rule => rule.SpeaksFor(rule.Id)), Is.Empty);
        Assert.That(rules.InhibitedBy(EngineRules.DatabaseAway.Id), Is.EqualTo(new[] { EngineRules.Stale.Id }));
    }
}

/// <summary>What operators and other workers do to events of which one speaks for the others.</summary>
public sealed class StoredInhibitionTests() : NotifiedEventsFixture(inDatabase: true)
{
    private Task CheckBothAsync() => CheckAsync(Found("x.all", "market", Severity.Critical, "a"), Found("x.coin", "a"));

    [Test]
    public async Task Event_says_which_one_speaks_for_it_and_its_messages_were_inhibited()
    {
        await CheckBothAsync();
        await ResolveAsync(Found("x.all", "market", Severity.Critical, "a"));
        Assert.That(await QueryAsync("""
            SELECT concat_ws(' ', e.subject, e.status, speaker.subject)
              FROM security_events AS e LEFT JOIN security_events AS speaker ON speaker.event_id = e.inhibited_by ORDER BY 1
            """), Is.EqualTo(new[] { "a resolved market", "market open" }));
        Assert.That(await QueryAsync("""
            SELECT DISTINCT concat_ws(' ', subject, kind, n.status) FROM notifications AS n JOIN security_events USING (event_id) ORDER BY 1
            """), Is.EqualTo(new[] { "a opened inhibited", "market opened pending" }));
    }

    [Test]
    public async Task Silenced_event_inhibits_nothing_until_the_silence_ends()
    {
        await CheckBothAsync();
        await SilenceAsync("x.all:market", minutes: 10);
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a opened" }));
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a", "b"), Found("x.coin", "b"));
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "market opened" }));
    }

    [Test]
    public async Task Operator_who_ends_the_one_that_speaks_lets_go_of_what_is_open()
    {
        await CheckBothAsync();
        await SentAsync();
        await ActAsync("resolve", "market");
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market resolved", "a opened" }));
    }

    [Test]
    public async Task Next_worker_goes_on_where_the_first_one_ended()
    {
        await CheckBothAsync();
        await StartWorkerAsync();
        await CheckAsync(Found("x.all", "market", Severity.Critical, "a"), Found("x.coin", "a"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "market opened" }));
        await StartWorkerAsync();
        await ResolveAsync(Found("x.coin", "a"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "market resolved", "a opened" }));
    }

    [Test]
    public async Task Of_two_workers_at_once_neither_misses_what_the_other_opens()
    {
        var (one, two) = (await StartWorkerAsync(), await StartWorkerAsync());
        for (var round = 0; round < 20; round++)
            await Task.WhenAll(
                Task.Run(() => one(Events.ResultSample.Of($"one {round}", Noon, Data.Checks.CheckOutcome.Succeeded,
                    [Found("x.all", $"market {round}", Severity.High, $"s{round}")], []))),
                Task.Run(() => two(Events.ResultSample.Of($"two {round}", Noon, Data.Checks.CheckOutcome.Succeeded,
                    [Found("other", $"s{round}")], []))));
        Assert.That(await SentAsync(), Has.Count.EqualTo(20).And.All.StartsWith("market"));
    }

    [Test]
    public async Task What_is_inhibited_is_not_counted_as_waiting()
    {
        await CheckBothAsync();
        await SentAsync();
        var states = await new Data.Notifications.NotificationChannelTable(_db!).ListAsync(_clock.GetUtcNow(), Noon, "", default);
        Assert.That(states.Single(state => state.Channel == "webhook").Pending, Is.Zero);
    }
}
