using Dapper;
using Monitoring.Data.Database;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>What every check changes of an event stands in no index, so that seeing many again costs no more than their rows.</summary>
[NonParallelizable] // a session that begins, in any database, may keep what it could see from being pruned
public sealed class HotUpdateTests
{
    private const int Events = 2000;
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase()
    {
        _db = await TestDatabase.CloneAsync();
        await TestDatabase.UntilQuietAsync();
    }

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    // What one check does to the table; answers how many rows it updated, and how many of them without touching an index.
    private async Task<(long Updated, long Hot)> CheckAsync(int minute, bool found)
    {
        var result = ResultSample.Of("m", ManualClock.Noon.AddMinutes(minute), CheckOutcome.Succeeded,
            found ? [.. Enumerable.Range(0, Events).Select(i => Found($"s{i}", minute))] : [], []);
        await using var connection = await _db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var (updatedBefore, hotBefore) = await CountAsync(connection, transaction); // the session's, until it hands them on
        var known = await SecurityEventUpdates.LockRelevantAsync(
            "m", [.. result.Findings.Select(finding => finding.Fingerprint)], new UnreadableRows(), transaction, default);
        var update = EventLifecycle.Apply(known, result, resolveAfter: 3, new RuleCatalog([]), ManualClock.Noon);
        await transaction.SendAsync(batch =>
        {
            SecurityEventUpdates.Move(batch, update.Moved);
            SecurityEventUpdates.Upsert(batch, update.Rewritten);
        });
        var (updated, hot) = await CountAsync(connection, transaction);
        await transaction.CommitAsync();
        return (updated - updatedBefore, hot - hotBefore);
    }

    // Every other event is worse than ever at each check.
    private static Finding Found(string subject, int minute) => ResultSample.Finding("r", subject, Severity.High) with
    {
        Title = $"{subject} at {minute}", Description = $"{minute} min",
        Measure = new FindingMeasure("value", subject.Length % 2 == 0 ? 10 + (minute / 100m) : 10 - minute, "%", 1),
    };

    private static Task<(long Updated, long Hot)> CountAsync(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        connection.QuerySingleAsync<(long, long)>(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'security_events'", transaction: transaction);

    [Test]
    public async Task Events_seen_again_and_missed_are_updated_without_touching_an_index()
    {
        Assert.That(await CheckAsync(0, found: true), Is.EqualTo((0L, 0L)));
        for (var minute = 1; minute <= 4; minute++)
        {
            var (updated, hot) = await CheckAsync(minute, found: minute % 2 == 1);
            Assert.That(updated, Is.EqualTo(Events));
            Assert.That(hot, Is.GreaterThanOrEqualTo(0.95 * Events), $"check {minute}");
        }
    }

    [Test]
    public async Task No_index_holds_what_every_check_changes()
    {
        await using var connection = await _db.OpenConnectionAsync();
        var indexes = (await connection.QueryAsync<string>("SELECT indexdef FROM pg_indexes WHERE tablename = 'security_events'")).AsList();
        Assert.That(indexes, Is.Not.Empty);
        foreach (var column in new[]
        {
            "occurrences", "last_seen_at", "clean_checks", "judged_at", "indicators", "estimated_loss_usd", "title", "description",
            "current_value", "worst_value", "worst_at", "threshold_value",
        })
            Assert.That(indexes, Has.None.Contains(column));
    }
}
