using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Tests.Database;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Tests.Events;

/// <summary>Operators and the worker change the same events at the same time.</summary>
public sealed class OperatorActionTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly Operator Ada = new("ada", "test");
    private NpgsqlDataSource _db = null!;
    private SecurityEvents _events = null!;
    private OperatorActions _actions = null!;
    private Guid _id;

    [SetUp]
    public async Task OpenEvent()
    {
        _db = await TestDatabase.CloneAsync();
        (_events, _actions) = (new SecurityEvents(_db), new OperatorActions(_db));
        await CheckAsync(0);
        _id = (await ListAsync()).Single().EventId;
    }

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private Task<IReadOnlyList<SecurityEvent>> ListAsync() =>
        _events.ListSinceAsync(Noon.AddDays(-1), ListEnd.Before(Noon.AddDays(1)), null, null, null, 10, default);

    private async Task CheckAsync(int minute, Severity severity = Severity.High, bool found = true)
    {
        await using var worker = new ServiceCollection().AddSingleton(_db).AddMonitoringTables()
            .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton<TimeProvider>(new ManualClock(Noon.AddMinutes(minute)))
            .AddSingleton(new NotificationRouting([], Severity.High, [])).AddSingleton<DatabaseRecorder>().BuildServiceProvider();
        await worker.GetRequiredService<DatabaseRecorder>().WriteAsync(
            ResultSample.Of(
                "m", Noon.AddMinutes(minute), CheckOutcome.Succeeded, found ? [ResultSample.Finding("r", "s", severity)] : [], []),
            default);
    }

    private async Task WaitForLockAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        while (!await connection.QuerySingleAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"))
            await Task.Yield();
    }

    [Test]
    public async Task Acknowledged_event_stays_so_and_is_resolved_by_clean_checks()
    {
        await _actions.AcknowledgeAsync(_id, Ada, null, Noon.AddSeconds(30), default);
        await CheckAsync(1, Severity.Critical);
        var seen = (await _events.FindAsync(_id, default))!;
        Assert.That((seen.Status, seen.AcknowledgedBy, seen.Severity, seen.Occurrences),
            Is.EqualTo((EventStatus.Acknowledged, "ada", Severity.Critical, 2L)));
        for (var minute = 2; minute < 5; minute++)
            await CheckAsync(minute, found: false);
        seen = (await _events.FindAsync(_id, default))!;
        Assert.That((seen.Status, seen.AcknowledgedBy), Is.EqualTo((EventStatus.Resolved, "ada")));
    }

    [Test]
    public async Task Finding_after_an_operators_resolution_is_a_new_event()
    {
        await _actions.ResolveAsync(_id, Ada, "false alarm", Noon.AddSeconds(30), default);
        await CheckAsync(1);
        var events = await ListAsync();
        Assert.That(events.Select(e => (e.EventId == _id, e.Status, e.Resolution)),
            Is.EquivalentTo(new[] { (true, EventStatus.Resolved, (string?)"false alarm"), (false, EventStatus.Open, null) }));
    }

    [Test]
    public async Task Operator_who_is_first_is_not_overwritten_by_the_worker()
    {
        await using var connection = await _db.OpenConnectionAsync();
        await using var operators = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(
            "SELECT resolve_event(@id, 'ada', 'test', 'over', @at)", new { id = _id, at = Noon.AddSeconds(30) }, operators);
        var check = Task.Run(() => CheckAsync(1));
        await WaitForLockAsync(); // the worker waits for the event
        await operators.CommitAsync();
        await check;
        var events = await ListAsync();
        Assert.That(events.Select(e => (e.EventId == _id, e.Status)),
            Is.EquivalentTo(new[] { (true, EventStatus.Resolved), (false, EventStatus.Open) }),
            "the finding of a later check is another event");
        Assert.That((await new SecurityEventChanges(_db).ListAsync(_id, default)).Select(change => change.Kind),
            Is.EqualTo(new[] { ChangeKind.Opened, ChangeKind.Resolved }));
    }

    [Test]
    public async Task Worker_who_is_first_is_not_overwritten_by_the_operator()
    {
        await using var connection = await _db.OpenConnectionAsync();
        await using var worker = await connection.BeginTransactionAsync();
        var locked = (await SecurityEventUpdates.LockRelevantAsync("m", ["r:s"], new UnreadableRows(), worker, default)).Single();
        var acknowledgement = Task.Run(() => _actions.AcknowledgeAsync(_id, Ada, null, Noon, default));
        await WaitForLockAsync();
        await worker.SendAsync(batch =>
            SecurityEventUpdates.Upsert(batch, [locked with { Severity = Severity.Critical, Occurrences = 7 }]));
        await worker.CommitAsync();
        Assert.That(await acknowledgement, Is.EqualTo(ActionOutcome.Done));
        var seen = (await _events.FindAsync(_id, default))!;
        Assert.That((seen.Status, seen.Severity, seen.Occurrences, seen.AcknowledgedBy),
            Is.EqualTo((EventStatus.Acknowledged, Severity.Critical, 7L, "ada")));
    }

    [Test]
    public async Task Operators_and_worker_at_once_leave_numbers_without_holes()
    {
        await using var connection = await _db.OpenConnectionAsync();
        var checks = Task.Run(async () =>
        {
            for (var minute = 1; minute <= 40; minute++)
                await CheckAsync(minute, (Severity)(minute % 5));
        });
        var operators = Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                foreach (var open in (await ListAsync()).Where(e => e.Status != EventStatus.Resolved))
                    _ = n % 2 == 0
                        ? await _actions.AcknowledgeAsync(open.EventId, Ada, null, open.LastSeenAt, default)
                        : await _actions.ResolveAsync(open.EventId, Ada, $"{n}", open.LastSeenAt, default);
                await _actions.SilenceAsync("r:s", Noon.AddHours(1).AddMinutes(i), Ada, $"{n}", Noon, default);
            }
        }));
        await Task.WhenAll([checks, .. operators]);
        Assert.That(await connection.QuerySingleAsync<bool>("SELECT max(seq) = count(*) AND min(seq) = 1 FROM security_event_changes"),
            Is.True);
        Assert.That(await connection.QuerySingleAsync<long>("SELECT count(*) FROM silences WHERE ended_at IS NULL"), Is.Positive);
        Assert.That(await connection.QuerySingleAsync<bool>(
            "SELECT (SELECT count(*) FROM audit_log) = (SELECT count(*) FROM security_event_changes WHERE actor = 'ada')"
            + " + (SELECT count(*) FROM silences) - (SELECT count(*) FROM security_event_changes WHERE kind = 'silenced')"),
            Is.True, "each action has its row in the audit log");
    }
}
