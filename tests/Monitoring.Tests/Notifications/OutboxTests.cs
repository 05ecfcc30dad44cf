using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Tests.Notifications;

/// <summary>What is due when, in the database's outbox and in that of a worker without a database alike.</summary>
[TestFixture(true)]
[TestFixture(false)]
public sealed class OutboxTests(bool inDatabase)
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly RuleCatalog Rules = new([RuleSample.With("never", EventLifetime.Condition) with { NeverHeld = true }]);
    private readonly ManualClock _clock = new(Noon);
    private readonly TestJournals _journals = new();
    private NpgsqlDataSource? _db;
    private IOutbox _outbox = null!;
    private Func<CheckResult, Task> _record = null!;
    private int _check;

    [SetUp]
    public async Task CloneDatabase()
    {
        _db = inDatabase ? await TestDatabase.CloneAsync() : null;
        await StartAsync(window: 30);
    }

    [TearDown]
    public Task DropDatabase()
    {
        _journals.Dispose();
        return _db is null ? Task.CompletedTask : TestDatabase.DropAsync(_db);
    }

    private async Task StartAsync(int window)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(new EventOptions(3, Severity.High))
            .AddSingleton<TimeProvider>(_clock).AddSingleton(new NotificationRouting(["slack", "webhook"], Severity.High, []))
            .AddSingleton(new NotificationOptions(TimeSpan.FromSeconds(window), TimeSpan.FromHours(24), []))
            .AddSingleton(new ChannelOptions(null, null, null, null, null, null, new Uri("https://risk.example.org")))
            .AddSingleton(new WorkerIdentity("w")).AddSingleton<EventLog>().AddSingleton<SessionStatistics>();
        if (_db is null)
        {
            var provider = services.AddSingleton(Rules).AddOutbox(withoutDatabase: true)
                .AddRecordingWithoutDatabase().BuildServiceProvider();
            _outbox = provider.GetRequiredService<IOutbox>();
            _record = result =>
            {
                provider.GetRequiredService<IRecorder>().Record(result);
                return Task.CompletedTask;
            };
        }
        else
        {
            var provider = _journals.AddClaimsTo(services).AddSingleton(_db).AddMonitoringTables().AddSingleton(Rules)
                .AddSingleton(new DatabaseOptions(TestDatabase.ConnectionTo(_db))).AddSingleton<ChannelListener>()
                .AddSingleton<DatabaseRecorder>().AddSingleton<DatabaseOutbox>().BuildServiceProvider();
            _outbox = provider.GetRequiredService<DatabaseOutbox>();
            _record = result => provider.GetRequiredService<DatabaseRecorder>().WriteAsync(result, default);
        }

        await _outbox.RegisterAsync(["slack", "webhook"], default);
    }

    private Task CheckAsync(params Finding[] findings) =>
        _record(ResultSample.Of("m", Noon.AddMinutes(_check++), CheckOutcome.Succeeded, findings, []));

    private async Task ResolveAsync()
    {
        for (var i = 0; i < 3; i++)
            await CheckAsync();
    }

    private static Finding Found(string subject, Severity severity = Severity.High, string rule = "r") =>
        ResultSample.Finding(rule, subject, severity);

    private Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(string channel = "webhook", int most = 8, params Guid[] inFlight) =>
        _outbox.ClaimAsync(channel, most, inFlight, default);

    private async Task<ClaimedMessage> ClaimOneAsync(params Guid[] inFlight) => (await ClaimAsync(inFlight: inFlight)).Single();

    private Task MarkAsync(ClaimedMessage claimed, DeliveryOutcome outcome) => _outbox.MarkAsync(
        "webhook", claimed.Message.NotificationId,
        DeliveryRules.Judge(outcome, claimed, _clock.GetUtcNow(), TimeSpan.FromHours(24), random: 1), default);

    private static string Text(ClaimedMessage claimed) =>
        string.Join(", ", claimed.Message.Entries.Select(entry => $"{entry.Subject} {SnakeCase.Of(entry.Kind)}"));

    private static readonly DeliveryOutcome Delivered = new DeliveryOutcome.Delivered();
    private static readonly DeliveryOutcome Refused = new DeliveryOutcome.Dead("HTTP 400");

    [Test]
    public async Task Message_says_what_the_event_says()
    {
        await CheckAsync(Found("s", Severity.Critical));
        var entry = (await ClaimOneAsync()).Message.Entries.Single();
        Assert.That(entry with { Indicators = "", AffectedAddresses = [] },
            Is.EqualTo(new NotificationEntry(entry.EventId, ChangeKind.Opened, Severity.Critical, "r", "threat", "s", "Critical s",
                "description", Noon, Noon, "", [], "Critical s", new Uri($"https://risk.example.org/#/events/{entry.EventId}"))));
        Assert.That((entry.Indicators.Replace(" ", ""), entry.AffectedAddresses), Is.EqualTo(("""{"value":1.25}""", (string[])["s"])));
    }

    // Finds so many subjects, of which the newest has this severity.
    private Task FindAsync(int subjects, Severity newest = Severity.High) => CheckAsync(
        [.. Enumerable.Range(0, subjects).Select(n => Found($"s{n}", n == subjects - 1 ? newest : Severity.High))]);

    private async Task OpenFourAtOnceAsync(Severity severity = Severity.High)
    {
        for (var subjects = 1; subjects <= 4; subjects++)
        {
            await FindAsync(subjects, severity);
            var message = await ClaimOneAsync();
            Assert.That(Text(message), Is.EqualTo($"s{subjects - 1} opened"));
            await MarkAsync(message, Delivered);
        }
    }

    [Test]
    public async Task First_four_messages_of_a_minute_leave_at_once_and_what_follows_goes_as_one()
    {
        await OpenFourAtOnceAsync();
        await FindAsync(5);
        _clock.Advance(TimeSpan.FromSeconds(29));
        await FindAsync(6);
        Assert.That(await ClaimAsync(), Is.Empty);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(Text(await ClaimOneAsync()), Is.EqualTo("s4 opened, s5 opened"));
        Assert.That(await ClaimAsync("slack"), Has.Count.EqualTo(1), "each channel counts its own");
    }

    [Test]
    public async Task After_a_minute_the_next_message_leaves_at_once()
    {
        await OpenFourAtOnceAsync();
        _clock.Advance(TimeSpan.FromMinutes(1));
        await FindAsync(5);
        Assert.That(Text(await ClaimOneAsync()), Is.EqualTo("s4 opened"));
    }

    [Test]
    public async Task Critical_event_does_not_wait_because_another_came_before_it()
    {
        await OpenFourAtOnceAsync(Severity.Critical);
        await FindAsync(5, Severity.Critical);
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.That(await ClaimAsync(), Is.Empty, "after four of them it waits for others, but not for long");
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(Text(await ClaimOneAsync()), Is.EqualTo("s4 opened"));
    }

    [Test]
    public async Task Event_of_a_rule_that_is_never_held_leaves_at_once_and_takes_nothing_with_it()
    {
        await OpenFourAtOnceAsync();
        await FindAsync(5);
        Finding[] all = [.. Enumerable.Range(0, 5).Select(n => Found($"s{n}"))];
        await CheckAsync([.. all, Found("a", rule: "never")]);
        var first = await ClaimOneAsync();
        Assert.That(Text(first), Is.EqualTo("a opened"));
        await MarkAsync(first, Delivered);
        await CheckAsync([.. all, Found("a", rule: "never"), Found("b", rule: "never")]);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.That(Text(await ClaimOneAsync()), Is.EqualTo("s4 opened, b opened"));
    }

    [Test]
    public async Task Without_a_window_each_change_is_a_message_and_they_keep_their_order()
    {
        await StartAsync(window: 0);
        await CheckAsync(Found("a"), Found("b"));
        await CheckAsync(Found("a", Severity.Critical), Found("b"));
        var first = await ClaimAsync();
        Assert.That(first.Select(Text), Is.EqualTo(new[] { "a opened", "b opened" }));
        Assert.That(await ClaimAsync(inFlight: [.. first.Select(claimed => claimed.Message.NotificationId)]), Is.Empty);
        await MarkAsync(first[0], Delivered);
        Assert.That(Text(await ClaimOneAsync(first[1].Message.NotificationId)), Is.EqualTo("a escalated"));
    }

    [Test]
    public async Task No_more_is_claimed_than_asked_for()
    {
        await StartAsync(window: 0);
        await CheckAsync(Found("a"), Found("b"), Found("c"));
        Assert.That(await ClaimAsync(most: 2), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Retry_after_is_honoured_for_the_message_and_for_the_channel()
    {
        await StartAsync(window: 0);
        await CheckAsync(Found("a"));
        var first = await ClaimOneAsync();
        await MarkAsync(first, new DeliveryOutcome.Retry("HTTP 429", TimeSpan.FromSeconds(7)));
        await CheckAsync(Found("a"), Found("b"));
        _clock.Advance(TimeSpan.FromSeconds(6.9));
        // For this worker its sender keeps the channel's pause; in the database it is kept for the others.
        var others = await ClaimAsync();
        Assert.That(others.Select(Text), inDatabase ? Is.Empty : Is.EqualTo(new[] { "b opened" }));
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        ClaimedMessage[] due = [.. await ClaimAsync(), .. others];
        Assert.That(due.Select(Text), Is.EqualTo(new[] { "a opened", "b opened" }));
        Assert.That((due[0].Message.NotificationId, due[0].Attempts), Is.EqualTo((first.Message.NotificationId, 2)));
    }

    [Test]
    public async Task What_waited_long_is_due_soon_after_the_channel_took_a_message_again()
    {
        await StartAsync(window: 0);
        await CheckAsync(Found("a"));
        for (var i = 0; i < 10; i++)
        {
            _clock.Advance(DeliveryRules.LongestBackoff);
            await MarkAsync(await ClaimOneAsync(), new DeliveryOutcome.Retry("HTTP 500"));
        }

        await CheckAsync(Found("a"), Found("b"));
        var working = await ClaimOneAsync();
        Assert.That(await ClaimAsync(inFlight: working.Message.NotificationId), Is.Empty);
        await MarkAsync(working, Delivered);
        _clock.Advance(DeliveryRules.AfterSuccess);
        Assert.That(Text(await ClaimOneAsync()), Is.EqualTo("a opened"));
    }

    [Test]
    public async Task Repeat_is_the_same_message_whatever_has_come_meanwhile()
    {
        await CheckAsync(Found("a"), Found("b"));
        var first = await ClaimOneAsync();
        await MarkAsync(first, new DeliveryOutcome.Retry("HTTP 500"));
        await CheckAsync(Found("a", Severity.Critical), Found("b"), Found("c"));
        _clock.Advance(TimeSpan.FromMinutes(1));
        var due = await ClaimAsync();
        Assert.That(due.Select(Text), Is.EqualTo(new[] { "a opened, b opened", "c opened" }),
            "and what follows the first of its event waits for it");
        Assert.That(due[0].Message.NotificationId, Is.EqualTo(first.Message.NotificationId));
        await MarkAsync(due[0], Delivered);
        await MarkAsync(due[1], Delivered);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Text(await ClaimOneAsync()), Is.EqualTo("a escalated"));
    }

    [Test]
    public async Task After_a_day_of_failures_a_message_is_dead_and_listed()
    {
        await CheckAsync(Found("a"));
        var claimed = await ClaimOneAsync();
        await MarkAsync(claimed, new DeliveryOutcome.Retry("HTTP 500"));
        _clock.Advance(TimeSpan.FromHours(24));
        claimed = await ClaimOneAsync();
        await MarkAsync(claimed, new DeliveryOutcome.Retry("HTTP 500"));
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.That(await ClaimAsync(), Is.Empty);
        Assert.That(await _outbox.ListDeadAsync(Noon, default),
            Is.EqualTo(new[] { new DeadLetters("webhook", 1, Noon.AddDays(1), "given up after 2 attempts: HTTP 500") }));
    }

    [Test]
    public async Task Refused_message_is_dead_at_once_and_the_next_of_its_event_goes_on()
    {
        await CheckAsync(Found("a"));
        await MarkAsync(await ClaimOneAsync(), Refused);
        Assert.That((await _outbox.ListDeadAsync(Noon, default)).Select(letters => letters.Error), Is.EqualTo(new[] { "HTTP 400" }));
        Assert.That(await _outbox.ListDeadAsync(Noon.AddSeconds(1), default), Is.Empty);
        await CheckAsync(Found("a", Severity.Critical));
        Assert.That(Text(await ClaimOneAsync()), Is.EqualTo("a escalated"));
    }

    [Test]
    public async Task Lost_message_about_lost_messages_leads_to_no_other()
    {
        await CheckAsync(Found("slack", rule: NotificationRouting.UndeliveredRule));
        Assert.That(await ClaimAsync("slack"), Is.Empty);
        await MarkAsync(await ClaimOneAsync(), Refused);
        Assert.That(await _outbox.ListDeadAsync(Noon, default), Is.Empty);
    }

    [Test]
    public async Task End_is_told_after_the_opening_and_in_one_message_with_it_when_both_wait()
    {
        await CheckAsync(Found("z"));
        await MarkAsync(await ClaimOneAsync(), Delivered);
        await CheckAsync(Found("z"), Found("a"));
        await ResolveAsync();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Text(await ClaimOneAsync()),
            Is.EqualTo("a opened, z resolved, a resolved").Or.EqualTo("a opened, a resolved, z resolved"));
    }

    [Test]
    public async Task Message_given_back_is_due_at_once_under_the_same_id()
    {
        await CheckAsync(Found("a"));
        var claimed = await ClaimOneAsync();
        await _outbox.MarkAsync("webhook", claimed.Message.NotificationId, null, default);
        Assert.That((await ClaimOneAsync()).Message.NotificationId, Is.EqualTo(claimed.Message.NotificationId));
    }

    [Test]
    public async Task Storm_of_ten_thousand_findings_on_five_hundred_subjects_is_a_message_every_ten_seconds()
    {
        var messages = new List<(DateTimeOffset At, ClaimedMessage Message)>();
        for (var second = 0; second <= 90; second++)
        {
            if (second is > 0 and <= 60) // 20 rules × 500 subjects, spread over a minute
                await _record(ResultSample.Of($"m{second}", Noon.AddSeconds(second), CheckOutcome.Succeeded,
                    [.. Enumerable.Range(0, 10_000)
                        .Where(n => n % 60 == second % 60)
                        .Select(n => Found($"S{n / 20}", n % 2 == 0 ? Severity.High : Severity.Critical, $"r{n % 20}"))],
                    []));
            foreach (var claimed in await ClaimAsync())
            {
                messages.Add((_clock.GetUtcNow(), claimed));
                await MarkAsync(claimed, Delivered);
            }

            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(messages.Skip(3).Zip(messages.Skip(4), (one, next) => next.At - one.At),
            Has.All.GreaterThanOrEqualTo(TimeSpan.FromSeconds(10)));
        Assert.That(messages, Has.Count.EqualTo(9));
        var entries = messages.SelectMany(message => message.Message.Message.Entries).ToList();
        Assert.That(entries.Select(entry => entry.EventId).Distinct().Count(), Is.EqualTo(10_000));
        Assert.That(entries.Select(entry => entry.Subject).Distinct().Count(), Is.EqualTo(500));
    }
}
