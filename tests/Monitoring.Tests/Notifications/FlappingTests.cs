using Monitoring.Data.Events;
using Monitoring.Worker.Checks;

namespace Monitoring.Tests.Notifications;

/// <summary>What opens and ends again and again is held open from its fourth opening within an hour.</summary>
[TestFixture(true)]
[TestFixture(false)]
public sealed class FlappingTests(bool inDatabase) : NotifiedEventsFixture(inDatabase)
{
    private static Finding Measuring(decimal measure, Severity severity = Severity.High)
    {
        var finding = Found("r", "a", severity);
        finding.Evidence.Values["value"] = -measure; // its size counts
        return finding;
    }

    private async Task OpenAndResolveAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            await CheckAsync(Measuring(10));
            await ResolveAsync();
        }
    }

    [Test]
    public async Task Fourth_opening_within_an_hour_is_one_message_and_stays_open_for_an_hour_without_a_finding()
    {
        await OpenAndResolveAsync(3);
        Assert.That(await SentAsync(), Has.Count.EqualTo(6));
        await CheckAsync(Measuring(10));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a flapping" }));
        for (var i = 0; i < 5; i++)
            await OpenAndResolveAsync(1);
        Assert.That(await SentAsync(), Is.Empty);
        for (var i = 0; i < 356; i++) // to ten seconds before the hour
            await CheckAsync();
        Assert.That(await SentAsync(), Is.Empty);
        await CheckAsync();
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a resolved" }));
        await CheckAsync(Measuring(10));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a opened" }), "after an hour of calm it begins anew");
    }

    [Test]
    public async Task Openings_that_lie_further_apart_do_not_flap()
    {
        for (var i = 0; i < 6; i++)
        {
            await OpenAndResolveAsync(1);
            _clock.Advance(TimeSpan.FromMinutes(20));
        }

        Assert.That(await SentAsync(), Has.Count.EqualTo(12).And.None.Contains("flapping"));
    }

    [Test]
    public async Task Other_fingerprints_are_not_meant()
    {
        await OpenAndResolveAsync(3);
        await SentAsync();
        await CheckAsync(Measuring(10), Found("r", "b"));
        Assert.That(await SentAsync(), Is.EquivalentTo(new[] { "a flapping", "b opened" }));
    }

    [Test]
    public async Task Higher_severity_and_a_measure_worse_by_half_notify_at_once()
    {
        await OpenAndResolveAsync(3);
        await CheckAsync(Measuring(10));
        await SentAsync();
        await CheckAsync(Measuring(14.9m));
        Assert.That(await SentAsync(), Is.Empty);
        await CheckAsync(Measuring(15));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a worsened" }));
        await CheckAsync(Measuring(20));
        Assert.That(await SentAsync(), Is.Empty, "it counts from what was told last");
        await CheckAsync(Measuring(20, Severity.Critical));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a escalated" }));
        await CheckAsync(Measuring(30, Severity.Critical));
        Assert.That(await SentAsync(), Is.Empty, "at most one worsening in five minutes");
        _clock.Advance(TimeSpan.FromMinutes(5));
        await CheckAsync(Measuring(30, Severity.Critical));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a worsened" }));
    }

    [Test]
    public async Task Measure_worse_by_half_notifies_of_an_event_that_does_not_flap_too()
    {
        await CheckAsync(Measuring(10));
        await CheckAsync(Measuring(1000));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a opened", "a worsened" }));
        await CheckAsync(Measuring(10_000));
        Assert.That(await SentAsync(), Is.Empty);
    }

    [Test]
    public async Task Worsening_that_is_acknowledged_or_silenced_is_held_back_as_other_calls_are()
    {
        await CheckAsync(Measuring(10));
        await SentAsync();
        if (_db is not null)
            await SilenceAsync("r:a", minutes: 10);
        await CheckAsync(Measuring(1000));
        Assert.That(await SentAsync(), _db is null ? Is.EqualTo(new[] { "a worsened" }) : Is.Empty);
    }

    [Test]
    public async Task Occurrence_that_flaps_expires_after_an_hour()
    {
        for (var i = 0; i < 3; i++)
        {
            await CheckAsync(Found("x.brief", "a"));
            _clock.Advance(TimeSpan.FromMinutes(10));
            await CheckAsync();
        }

        await CheckAsync(Found("x.brief", "a"));
        Assert.That(await SentAsync(), Has.One.EqualTo("a flapping"));
        _clock.Advance(TimeSpan.FromMinutes(50));
        await CheckAsync();
        Assert.That(await SentAsync(), Is.Empty);
        _clock.Advance(TimeSpan.FromMinutes(10));
        await CheckAsync();
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a expired" }));
    }
}

/// <summary>Flapping over restarts and what operators do.</summary>
public sealed class StoredFlappingTests() : NotifiedEventsFixture(inDatabase: true)
{
    [Test]
    public async Task Openings_count_over_restarts_and_whoever_resolved()
    {
        for (var i = 0; i < 3; i++)
        {
            await StartWorkerAsync();
            await CheckAsync(Found("r", "a"));
            await ActAsync("resolve", "a");
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        await SentAsync();
        await StartWorkerAsync();
        await CheckAsync(Found("r", "a"));
        Assert.That(await SentAsync(), Is.EqualTo(new[] { "a flapping" }));
        await StartWorkerAsync();
        await ResolveAsync();
        Assert.That(await QueryAsync("SELECT status FROM security_events WHERE status <> 'resolved'"), Is.EqualTo(new[] { "open" }));
        Assert.That(await QueryAsync("SELECT kind FROM security_event_changes ORDER BY seq DESC LIMIT 2"),
            Is.EqualTo(new[] { "flapping", "opened" }));
    }
}
