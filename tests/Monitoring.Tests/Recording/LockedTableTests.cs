using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Tests.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;
using Npgsql;

namespace Monitoring.Tests.Recording;

/// <summary>
/// A table that somebody locks, or a server that hangs, in the way of a critical finding: no check waits for it, and the message leaves.
/// </summary>
public sealed class LockedTableTests : OutageNotifierFixture
{
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(15);

    private protected override bool ClaimsFromDatabase => true;

    [SetUp]
    public Task Register() => new NotificationChannelTable(_db).RegisterAsync([_channel.Name], Noon, Noon, "", default);

    [TestCase("check_runs")]
    [TestCase("security_events")]
    [TestCase("security_event_changes")]
    [TestCase("notifications")]
    [TestCase("notification_channels", Description = "the result is stored, only its message could not be claimed")]
    [TestCase("silences", Description = "the same")]
    public async Task Critical_message_leaves_in_time_while_a_table_is_locked(string table)
    {
        await CheckAsync();
        await WakeAsync();
        var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync($"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        await TellInTimeAsync(() => CheckAsync(Found(Severity.Critical)), async () =>
        {
            await connection.ExecuteAsync("ROLLBACK");
            await connection.DisposeAsync();
        });
    }

    [Test]
    public async Task Critical_message_of_what_was_stored_right_before_the_server_hangs_leaves_in_time()
    {
        await CheckAsync(Found(Severity.Critical));
        _gate.Freeze();
        await TellInTimeAsync(() => Task.CompletedTask, () =>
        {
            _gate.Thaw();
            return Task.CompletedTask;
        });
    }

    private async Task TellInTimeAsync(Func<Task> check, Func<Task> end)
    {
        var began = TimeProvider.System.GetTimestamp();
        var checking = check();
        var told = SubjectsNotifiedAsync();
        while (!told.IsCompleted)
        {
            await WakeAsync(); // as the database or the clock would, again and again
            await Task.WhenAny(told, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, default));
        }

        Assert.That(await told, Is.EqualTo(new[] { "s" }));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(InTime));
        await end();
        await checking;
        await Recorder.DrainAsync(default);
        await SentAsync();
        await Recorder.DrainAsync(default);
        Assert.That(await RowsAsync(), Has.One.StartsWith("r opened critical delivered "));
        Assert.That(_services.GetRequiredService<OfflineOutbox>().Undelivered, Is.Zero);
    }

    [Test]
    public async Task Checks_that_come_while_a_table_is_locked_wait_for_nothing_and_are_stored_afterwards()
    {
        await CheckAsync();
        await using (var connection = await _db.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("BEGIN; LOCK TABLE check_runs IN ACCESS EXCLUSIVE MODE");
            var writing = CheckAsync(); // by the pipeline's loop
            var began = TimeProvider.System.GetTimestamp();
            for (var second = 1; second <= 20; second++)
                Recorder.Record(ResultSample.Of("other", Noon.AddSeconds(second), CheckOutcome.Succeeded, [], []));
            Assert.That(writing.IsCompleted, Is.False);
            Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(3)));
            await writing;
            Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(10)), "one deadline for all of them");
            Assert.That(_services.GetRequiredService<DatabaseLink>().Outage?.Error, Is.Not.Null);
            began = TimeProvider.System.GetTimestamp();
            await Recorder.DrainAsync(default);
            Assert.That(TimeProvider.System.GetElapsedTime(began), Is.InRange(TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(5)),
                "the next attempt asks for the lock, and gives up before its own deadline");
            Assert.That(() => _services.GetRequiredService<DatabaseRecorder>().StoreAsync(
                    new ResultEntry(ResultSample.Of("m", Noon, CheckOutcome.Succeeded, [], [])), row => row,
                    lockTimeout: TimeSpan.FromMilliseconds(100), default),
                Throws.InstanceOf<PostgresException>().With.Property("SqlState").EqualTo(PostgresErrorCodes.LockNotAvailable),
                "while it is away an attempt does not wait for the lock: no message leaves meanwhile");
            await connection.ExecuteAsync("ROLLBACK");
        }

        await Recorder.DrainAsync(default);
        await using var stored = await _db.OpenConnectionAsync();
        Assert.That(await stored.QuerySingleAsync<long>("SELECT count(*) FROM check_runs WHERE monitor = 'other'"), Is.EqualTo(20));
    }
}
