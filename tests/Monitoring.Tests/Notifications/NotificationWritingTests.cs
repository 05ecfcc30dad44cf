using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Tests.Notifications;

/// <summary>Which rows stand in the outbox after a change of an event, whoever made it.</summary>
public sealed class NotificationWritingTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly ManualClock _clock = new(Noon);
    private NpgsqlDataSource _db = null!;
    private DatabaseRecorder _recorder = null!;
    private int _minute;

    [SetUp]
    public async Task CloneDatabase()
    {
        _db = await TestDatabase.CloneAsync();
        Route();
    }

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private void Route(params NotificationRoute[] routes) => _recorder = new ServiceCollection().AddSingleton(_db).AddMonitoringTables()
        .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton<TimeProvider>(_clock)
        .AddSingleton(new NotificationRouting(["slack", "webhook"], Severity.High, routes)).AddSingleton<DatabaseRecorder>()
        .BuildServiceProvider().GetRequiredService<DatabaseRecorder>();

    private async Task CheckAsync(params Finding[] findings)
    {
        _clock.Advance(TimeSpan.FromMinutes(1));
        await _recorder.WriteAsync(ResultSample.Of("m", Noon.AddMinutes(_minute++), CheckOutcome.Succeeded, findings, []), default);
    }

    private static Finding Found(Severity severity = Severity.High, string rule = "r", string subject = "s") =>
        ResultSample.Finding(rule, subject, severity);

    private async Task<string[]> RowsAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<string>(
            "SELECT concat_ws(' ', channel, kind, severity, status) FROM notifications ORDER BY seq, channel")];
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(sql, new { at = _clock.GetUtcNow().UtcDateTime });
    }

    private Task SilenceAsync() => ExecuteAsync(
        "INSERT INTO silences (fingerprint, until, created_by, created_at) SELECT fingerprint, @at + interval '1 hour', 'ann', @at "
        + "FROM security_events ORDER BY severity, fingerprint LIMIT 1");

    private Task ChangeByOperatorAsync(string kind) => ExecuteAsync($"""
        INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor)
        SELECT event_id, @at, '{kind}', severity, 'ann'
          FROM security_events
        """);

    [Test]
    public async Task Opening_is_written_once_per_channel_in_the_transaction_of_the_change()
    {
        var result = ResultSample.Of("m", Noon, CheckOutcome.Succeeded, [Found()], []);
        await _recorder.WriteAsync(result, default);
        await _recorder.WriteAsync(result, default);
        await CheckAsync(Found());
        Assert.That(await RowsAsync(), Is.EqualTo(new[] { "slack opened high pending", "webhook opened high pending" }));
    }

    [Test]
    public async Task Below_the_minimum_nothing_is_written_until_it_escalates_and_then_its_end_too()
    {
        await CheckAsync(Found(Severity.Medium));
        Assert.That(await RowsAsync(), Is.Empty);
        await CheckAsync(Found(Severity.Critical));
        await CheckAsync();
        await CheckAsync();
        await CheckAsync();
        Assert.That(await RowsAsync(), Is.EqualTo(new[]
        {
            "slack escalated critical pending", "webhook escalated critical pending", "slack resolved critical pending",
            "webhook resolved critical pending",
        }));
    }

    [Test]
    public async Task Resolution_goes_to_those_that_were_told_whatever_the_routes_say_by_then()
    {
        await CheckAsync(Found());
        await ExecuteAsync("UPDATE notifications SET status = 'dead', dead_at = @at WHERE channel = 'slack'");
        Route(new NotificationRoute("none", ["slack", "webhook"], Severity.Critical, ["other"], []));
        await CheckAsync();
        await CheckAsync();
        await CheckAsync();
        Assert.That(await RowsAsync(),
            Is.EqualTo(new[] { "slack opened high dead", "webhook opened high pending", "webhook resolved high pending" }));
    }

    [Test]
    public async Task Escalation_reaches_new_channels_by_route_and_old_ones_because_they_were_told()
    {
        Route(new NotificationRoute("pager", ["webhook"], Severity.Critical, [], []));
        await CheckAsync(Found());
        Assert.That(await RowsAsync(), Is.EqualTo(new[] { "slack opened high pending" }));
        Route(new NotificationRoute("pager", ["webhook"], Severity.Critical, [], []),
            new NotificationRoute("no more", ["slack"], Severity.High, ["other"], []));
        await CheckAsync(Found(Severity.Critical));
        Assert.That(await RowsAsync(),
            Is.EqualTo(new[] { "slack opened high pending", "slack escalated critical pending", "webhook escalated critical pending" }));
    }

    [Test]
    public async Task Escalation_reaches_a_channel_that_only_another_worker_has()
    {
        await CheckAsync(Found());
        await ExecuteAsync("UPDATE notifications SET channel = 'of another worker' WHERE channel = 'slack'");
        await CheckAsync(Found(Severity.Critical));
        Assert.That((await RowsAsync())[2..], Is.EqualTo(new[]
        {
            "of another worker escalated critical pending", "slack escalated critical pending", "webhook escalated critical pending",
        }));
    }

    [Test]
    public async Task Many_changes_of_one_statement_are_notified_each_to_its_followers()
    {
        await CheckAsync([.. Enumerable.Range(0, 50).Select(n => Found(n % 2 == 0 ? Severity.High : Severity.Low, subject: $"s{n}"))]);
        await SilenceAsync(); // one of them
        await ChangeByOperatorAsync("resolved");
        Assert.That((await RowsAsync()).GroupBy(row => row).Select(same => (same.Key, same.Count())), Is.EquivalentTo(new[]
        {
            ("slack opened high pending", 24), ("webhook opened high pending", 24), ("slack opened high silenced", 1),
            ("webhook opened high silenced", 1), ("slack resolved high pending", 24), ("webhook resolved high pending", 24),
        }));
    }

    [Test]
    public async Task Operator_s_changes_are_notified_to_those_that_were_notified_of_the_opening()
    {
        await CheckAsync(Found());
        await ChangeByOperatorAsync("acknowledged");
        await ChangeByOperatorAsync("silenced");
        await ChangeByOperatorAsync("resolved");
        Assert.That((await RowsAsync())[2..], Is.EqualTo(new[]
        {
            "slack acknowledged high pending", "webhook acknowledged high pending", "slack resolved high pending",
            "webhook resolved high pending",
        }));
    }

    [TestCase("acknowledged")]
    [TestCase("resolved")]
    public async Task What_silence_held_back_is_withdrawn_when_nobody_needs_it_any_more(string kind)
    {
        await CheckAsync(Found());
        await SilenceAsync();
        await ChangeByOperatorAsync(kind);
        Assert.That(await RowsAsync(), Is.EqualTo(new[] { "slack opened high silenced", "webhook opened high silenced" }));
    }

    [Test]
    public async Task Silence_never_holds_back_the_end_of_what_was_announced()
    {
        await CheckAsync(Found());
        await ExecuteAsync(
            "UPDATE notifications SET status = 'delivered', delivered_at = @at, message_id = notification_id WHERE channel = 'slack'");
        await SilenceAsync();
        await CheckAsync(Found(Severity.Critical));
        await CheckAsync();
        await CheckAsync();
        await CheckAsync();
        Assert.That(await RowsAsync(), Is.EqualTo(new[]
        {
            "slack opened high delivered", "webhook opened high silenced", "slack escalated critical silenced",
            "webhook escalated critical silenced", "slack resolved critical pending",
        }));
    }

    [Test]
    public async Task Channel_that_is_broken_is_not_asked_to_tell_of_it()
    {
        await CheckAsync(Found(rule: NotificationRouting.UndeliveredRule, subject: "slack"));
        Assert.That(await RowsAsync(), Is.EqualTo(new[] { "webhook opened high pending" }));
    }

    [Test]
    public async Task What_was_sent_already_is_written_as_delivered_and_its_end_is_told()
    {
        await CheckAsync(Found(Severity.Low));
        var id = Guid.NewGuid();
        await using (var connection = await _db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            var (eventId, seq) = await connection.QuerySingleAsync<(Guid, long)>("SELECT event_id, seq FROM security_event_changes");
            // The one that was not sent comes first: the times of the array then begin with one that is missing.
            await new NotificationTable(_db).AddAsync(
            [
                new NewNotification(Guid.NewGuid(), eventId, seq, "discord", ChangeKind.Opened, Severity.Low, Noon, null),
                new NewNotification(id, eventId, seq, "slack", ChangeKind.Opened, Severity.Low, Noon, Noon),
            ], transaction, default);
            await transaction.CommitAsync();
        }

        await ChangeByOperatorAsync("resolved");
        Assert.That(await RowsAsync(), Is.EquivalentTo(new[]
        {
            "discord opened low pending", "slack opened low delivered", "discord resolved low pending", "slack resolved low pending",
        }));
    }

    [TestCase("BTC", "oracle_deviation", Severity.High, true)]
    [TestCase("btc", "oracle_deviation", Severity.Critical, true)]
    [TestCase("kPEPE", "oracle_deviation", Severity.High, true)]
    [TestCase("ETH", "oracle_deviation", Severity.High, false)]
    [TestCase("BTC", "hlp_anomaly", Severity.High, false)]
    [TestCase("BTC", "oracle_deviation", Severity.Medium, false)]
    public void Route_matches_by_severity_threat_type_and_subject(string subject, string threatType, Severity severity, bool matches)
    {
        var route = new NotificationRoute("n", ["slack"], Severity.High, ["oracle_deviation"], ["BTC", "k*"]);
        var finding = Found(severity, subject: subject) with { ThreatType = threatType };
        var opened = Worker.Events.EventLifecycle.Apply([], ResultSample.Of("m", Noon, CheckOutcome.Succeeded, [finding], []), 3,
            new RuleCatalog([]), Noon).Rewritten[0];
        Assert.That(route.Matches(opened), Is.EqualTo(matches));
    }
}
