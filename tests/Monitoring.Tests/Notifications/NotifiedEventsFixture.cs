using Dapper;
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
using Monitoring.Worker.Watching;
using Npgsql;

namespace Monitoring.Tests.Notifications;

/// <summary>From the result of a check to what leaves through a channel, with a database and without one.</summary>
public abstract class NotifiedEventsFixture(bool inDatabase)
{
    private protected static readonly DateTimeOffset Noon = ManualClock.Noon;

    // A condition and an occurrence that speak for others, and one of each that does not.
    private protected static readonly RuleCatalog Rules = new(
    [
        RuleSample.With("x.all", EventLifetime.Condition) with { Inhibits = ["x.*", "other"] },
        RuleSample.With("x.wide", EventLifetime.Occurrence(TimeSpan.FromMinutes(30))) with { Inhibits = ["x.*"] },
        RuleSample.With("x.brief", EventLifetime.Occurrence(TimeSpan.FromMinutes(10))),
        RuleSample.With("x.coin", EventLifetime.Condition), RuleSample.With("other", EventLifetime.Condition),
        RuleSample.With("r", EventLifetime.Condition) with { Measure = new("value", "", WorseWhen.Farther) },
    ]);

    private protected readonly ManualClock _clock = new(Noon);
    private readonly List<TestJournals> _journals = [];
    private protected NpgsqlDataSource? _db;
    private IOutbox _outbox = null!;
    private Func<CheckResult, Task> _record = null!;

    [SetUp]
    public async Task Begin()
    {
        _db = inDatabase ? await TestDatabase.CloneAsync() : null;
        await StartWorkerAsync();
    }

    [TearDown]
    public Task End()
    {
        _journals.ForEach(journals => journals.Dispose());
        return _db is null ? Task.CompletedTask : TestDatabase.DropAsync(_db);
    }

    /// <summary>Starts a worker, in the place of the one before: on the same database it knows no more than that does.</summary>
    private protected async Task<Func<CheckResult, Task>> StartWorkerAsync(EventOptions? options = null, params NotificationRoute[] routes)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(options ?? new EventOptions(3, Severity.High))
            .AddSingleton<TimeProvider>(_clock).AddSingleton(new NotificationRouting(["slack", "webhook"], Severity.High, routes))
            .AddSingleton(new NotificationOptions(TimeSpan.Zero, TimeSpan.FromHours(24), []))
            .AddSingleton(new ChannelOptions(null, null, null, null, null, null, null))
            .AddSingleton(new WorkerIdentity("w")).AddSingleton<EventLog>().AddSingleton<SessionStatistics>();
        if (_db is null)
        {
            var provider = services.AddSingleton(Rules).AddOutbox(withoutDatabase: true)
                .AddRecordingWithoutDatabase().BuildServiceProvider();
            _outbox = provider.GetRequiredService<IOutbox>();
            return _record = result =>
            {
                provider.GetRequiredService<IRecorder>().Record(result);
                return Task.CompletedTask;
            };
        }

        _journals.Add(new TestJournals());
        var worker = _journals[^1].AddClaimsTo(services).AddSingleton(_db).AddMonitoringTables().AddSingleton(Rules)
            .AddSingleton(new DatabaseOptions(TestDatabase.ConnectionTo(_db))).AddSingleton<ChannelListener>()
            .AddSingleton<DatabaseRecorder>().AddSingleton<DatabaseOutbox>().BuildServiceProvider();
        _outbox = worker.GetRequiredService<DatabaseOutbox>();
        await _outbox.RegisterAsync(["slack", "webhook"], default);
        return _record = result => worker.GetRequiredService<DatabaseRecorder>().WriteAsync(result, default);
    }

    /// <summary>A check of a monitor at the clock's time, which is then ten seconds later.</summary>
    private protected async Task CheckAsync(string monitor, params Finding[] findings)
    {
        await _record(ResultSample.Of(monitor, _clock.GetUtcNow(), CheckOutcome.Succeeded, findings, []));
        _clock.Advance(TimeSpan.FromSeconds(10));
    }

    private protected Task CheckAsync(params Finding[] findings) => CheckAsync("m", findings);

    /// <summary>Three checks that find these alone, so that the rest is resolved.</summary>
    private protected async Task ResolveAsync(params Finding[] stillFound)
    {
        for (var i = 0; i < 3; i++)
            await CheckAsync(stillFound);
    }

    /// <summary>The watchdog's checks, one a minute, for so long.</summary>
    private protected async Task WatchAsync(int minutes)
    {
        for (var minute = 0; minute < minutes; minute++)
        {
            _clock.Advance(TimeSpan.FromMinutes(1));
            await _record(Tick(_clock.GetUtcNow()));
        }
    }

    private protected static CheckResult Tick(DateTimeOffset at) =>
        ResultSample.Of(WatchdogMonitor.MonitorName, at, CheckOutcome.Succeeded, [], []);

    private protected static Finding Found(string rule, string subject, Severity severity = Severity.High, params string[] covers) =>
        ResultSample.Finding(rule, subject, severity) with { Covers = covers };

    /// <summary>All that leaves now, each taken at once by the service.</summary>
    private protected async Task<List<string>> SentAsync(string channel = "webhook")
    {
        var sent = new List<string>();
        while (await _outbox.ClaimAsync(channel, 100, [], default) is { Count: > 0 } claimed)
            foreach (var one in claimed)
            {
                sent.AddRange(one.Message.Entries.Select(entry => $"{entry.Subject} {SnakeCase.Of(entry.Kind)}"));
                await _outbox.MarkAsync(channel, one.Message.NotificationId, new DeliveryVerdict.Delivered(), default);
            }

        return sent;
    }

    private protected async Task ExecuteAsync(string sql)
    {
        await using var connection = await _db!.OpenConnectionAsync();
        await connection.ExecuteAsync(sql, new { at = _clock.GetUtcNow().UtcDateTime });
    }

    private protected async Task<List<string>> QueryAsync(string sql)
    {
        await using var connection = await _db!.OpenConnectionAsync();
        return (await connection.QueryAsync<string>(sql)).AsList();
    }

    private protected Task SilenceAsync(string fingerprint, int minutes) => ExecuteAsync(
        $"SELECT silence_event('{fingerprint}', @at + interval '{minutes} min', 'ann', 'here', 'known', @at)");

    private protected Task ActAsync(string action, string subject) => ExecuteAsync(
        $"SELECT {action}_event(event_id, 'ann', 'here', 'seen', @at) FROM security_events WHERE subject = '{subject}'");
}
