using System.Collections.Concurrent;
using Dapper;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Supervision;
using Monitoring.Tests.CommandLine;
using Monitoring.Tests.Events;
using Monitoring.Tests.Recording;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Watching;
using Npgsql;

namespace Monitoring.Tests.Notifications;

/// <summary>The notifier at work: on a real database, through a real webhook, with receivers and a database that fail.</summary>
public sealed class NotifierTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly string[] Names = ["webhook", "other"];
    private readonly List<Notifier> _started = [];
    private readonly TestLogs _logs = new();
    private readonly TestJournals _journals = new();
    private NpgsqlDataSource _db = null!;
    private ReceiverUnderTest _receiver = null!;
    private int _check;

    [SetUp]
    public async Task StartReceiver()
    {
        _db = await TestDatabase.CloneAsync();
        _receiver = await ReceiverUnderTest.StartAsync();
    }

    [TearDown]
    public async Task StopAll()
    {
        foreach (var notifier in _started)
            await notifier.StopAsync(default);
        await _receiver.DisposeAsync();
        await TestDatabase.DropAsync(_db);
        _journals.Dispose();
    }

    /// <summary>A channel of the test's own, which notes what it was asked to send.</summary>
    private sealed class OtherChannel(Func<NotificationMessage, CancellationToken, Task<DeliveryOutcome>> send) : INotificationChannel
    {
        public string Name => "other";

        public Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken) =>
            send(message, cancellationToken);
    }

    private async Task<Notifier> StartAsync(
        string worker = "w", int window = 0, NpgsqlConnectionStringBuilder? connection = null, INotificationChannel? other = null)
    {
        connection ??= TestDatabase.ConnectionTo(_db);
        var services = new ServiceCollection().AddLogging(logging => logging.AddProvider(_logs))
            .AddSingleton(TimeProvider.System).AddMonitoringData(new DatabaseOptions(connection))
            .AddSingleton(new WorkerIdentity(worker))
            .AddSingleton(new NotificationOptions(TimeSpan.FromSeconds(window), TimeSpan.FromHours(24), []))
            .AddChannels(new ChannelOptions(new WebhookOptions(new Uri(_receiver.Url), null), null, null, null, null, null, null))
            .AddSingleton<IOutbox, DatabaseOutbox>().AddSingleton<Supervisor>().AddSingleton<Notifier>();
        _journals.AddClaimsTo(services);
        if (other is not null)
            services.AddSingleton(other);
        var notifier = services.BuildServiceProvider().GetRequiredService<Notifier>();
        _started.Add(notifier);
        await notifier.StartAsync(default);
        return notifier;
    }

    private async Task CheckAsync(params Finding[] findings)
    {
        var recorder = new ServiceCollection().AddSingleton(_db).AddMonitoringTables()
            .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton(TimeProvider.System)
            .AddSingleton(new NotificationRouting(Names, Severity.High, [])).AddSingleton<DatabaseRecorder>()
            .BuildServiceProvider().GetRequiredService<DatabaseRecorder>();
        await recorder.WriteAsync(ResultSample.Of("m", Noon.AddMinutes(_check++), CheckOutcome.Succeeded, findings, []), default);
    }

    private static Finding[] Found(int subjects) =>
        [.. Enumerable.Range(0, subjects).Select(n => ResultSample.Finding("r", $"s{n}", Severity.High))];

    private async Task<T> QueryAsync<T>(string sql, NpgsqlDataSource? db = null)
    {
        await using var connection = await (db ?? _db).OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    private async Task WaitForAsync(string condition, NpgsqlDataSource? db = null)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60)); // ends a test that would hang
        while (!await QueryAsync<bool>($"SELECT {condition}", db))
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private Task WaitForDeliveredAsync(int count, string channel = "webhook") =>
        WaitForAsync($"(SELECT count(*) = {count} FROM notifications WHERE channel = '{channel}' AND status = 'delivered')");

    private List<string> ReceivedIds => [.. _receiver.Received.Select(request => request.Headers["webhook-id"])];

    [Test]
    public async Task What_was_committed_before_the_worker_died_is_sent_by_the_next()
    {
        await CheckAsync(Found(3));
        await StartAsync();
        await WaitForDeliveredAsync(3);
        Assert.That(ReceivedIds, Is.Unique.And.Count.EqualTo(3));
    }

    [Test]
    public async Task Commit_wakes_the_notifier_and_each_change_is_sent_once_in_its_order()
    {
        await StartAsync();
        await CheckAsync(Found(2));
        for (var i = 0; i < 3; i++)
            await CheckAsync();
        await WaitForDeliveredAsync(4);
        var texts = _receiver.Received.Select(request => request.Text).ToList();
        Assert.That(texts.FindIndex(text => text.Contains("\"resolved\"")), Is.GreaterThan(0));
        Assert.That(ReceivedIds, Is.Unique.And.Count.EqualTo(4));
        Assert.That(await QueryAsync<bool>("SELECT last_delivered_at IS NOT NULL FROM notification_channels WHERE channel = 'webhook'"),
            Is.True);
    }

    [Test]
    public async Task Two_workers_send_each_message_once()
    {
        await StartAsync("one");
        await StartAsync("two");
        await CheckAsync(Found(200));
        await WaitForDeliveredAsync(200);
        Assert.That(ReceivedIds, Is.Unique.And.Count.EqualTo(200));
    }

    [Test]
    public async Task Channel_that_hangs_holds_up_no_other()
    {
        var hanging = new OtherChannel(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return new DeliveryOutcome.Delivered();
        });
        await CheckAsync(Found(ChannelSender.Width + 1));
        await StartAsync(other: hanging);
        await WaitForDeliveredAsync(ChannelSender.Width + 1);
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM notifications WHERE channel = 'other' AND status = 'pending'"),
            Is.EqualTo(ChannelSender.Width + 1));
    }

    [Test]
    public async Task Message_that_hangs_holds_up_no_other_of_its_channel()
    {
        _receiver.Answer = (request, http) => request.Text.Contains("\"s0\"")
            ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted)
            : Task.CompletedTask;
        await StartAsync();
        await CheckAsync(Found(30));
        await WaitForDeliveredAsync(29);
    }

    [Test]
    public async Task Faults_of_the_receiver_lead_to_repeats_with_the_same_id_until_it_takes_the_message()
    {
        var answers = new ConcurrentQueue<Func<HttpContext, Task>>(
        [
            http => { http.Response.StatusCode = 500; return Task.CompletedTask; },
            http => { http.Abort(); return Task.CompletedTask; },
            http => { http.Response.StatusCode = 429; http.Response.Headers.RetryAfter = "0"; return Task.CompletedTask; },
        ]);
        _receiver.Answer = (_, http) => answers.TryDequeue(out var answer) ? answer(http) : Task.CompletedTask;
        await CheckAsync(Found(1));
        await StartAsync();
        await WaitForDeliveredAsync(1);
        Assert.That((ReceivedIds.Count, ReceivedIds.Distinct().Count()), Is.EqualTo((4, 1)));
        Assert.That(await QueryAsync<(int, string?)>("SELECT attempts, last_error FROM notifications WHERE channel = 'webhook'"),
            Is.EqualTo((4, (string?)null)));
    }

    [Test]
    public async Task Delivery_that_cannot_be_marked_while_the_database_is_away_is_not_repeated()
    {
        var connection = TestDatabase.ConnectionTo(_db);
        await using var gate = new TcpGate(connection.Host!, connection.Port);
        (connection.Host, connection.Port) = ("127.0.0.1", gate.Port);
        _receiver.Answer = (_, _) =>
        {
            gate.Close(); // after the send, before the mark
            return Task.CompletedTask;
        };
        await CheckAsync(Found(1));
        await StartAsync(connection: connection);
        while (!_logs.Lines.Any(line => line.Text.Contains("the outbox cannot be read or marked")))
            await Task.Yield();
        gate.Open();
        await WaitForDeliveredAsync(1);
        Assert.That(_receiver.Received, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Worker_killed_between_send_and_mark_repeats_with_the_same_id()
    {
        var arrived = new TaskCompletionSource();
        _receiver.Answer = (request, http) =>
        {
            if (request.Target != "/hook")
                return Task.CompletedTask;
            arrived.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted); // received, and never acknowledged
        };
        await CheckAsync(Found(1));
        (string, string)[] settings =
        [
            ("DATABASE_URL", TestDatabase.ConnectionTo(_db).ConnectionString), ("HYPERLIQUID_API_URL", _receiver.Url),
            ("WEBHOOK_URL", _receiver.Url + "/hook"),
        ];
        using (ProgramUnderTest.Start("Monitoring.Worker", "", settings))
            await arrived.Task.WaitAsync(TimeSpan.FromSeconds(60)); // leaving kills it
        _receiver.Answer = (_, _) => Task.CompletedTask;
        using var next = ProgramUnderTest.Start("Monitoring.Worker", "", settings);
        await WaitForAsync("(SELECT status = 'delivered' FROM notifications WHERE channel = 'webhook')");
        var ids = _receiver.Received.Where(request => request.Target == "/hook").Select(request => request.Headers["webhook-id"]).ToList();
        Assert.That((ids.Count, ids.Distinct().Count()), Is.EqualTo((2, 1)));
    }

    [Test]
    public async Task Worker_that_stops_gives_back_what_it_could_not_send()
    {
        _receiver.Answer = (_, http) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        await CheckAsync(Found(1));
        var notifier = await StartAsync();
        await _receiver.WaitForNextAsync();
        await notifier.StopAsync(default);
        Assert.That(await QueryAsync<bool>(
            "SELECT status = 'pending' AND next_attempt_at IS NULL AND claimed_by IS NULL FROM notifications WHERE channel = 'webhook'"),
            Is.True);
    }

    [Test]
    public async Task Silence_holds_back_until_its_end_and_then_tells_of_what_is_still_open()
    {
        var clock = new ManualClock(Noon);
        var connection = TestDatabase.ConnectionTo(_db);
        var services = new ServiceCollection().AddLogging().AddMonitoringData(new DatabaseOptions(connection))
            .AddSingleton<TimeProvider>(clock).AddSingleton(new WorkerIdentity("w"))
            .AddSingleton(new NotificationOptions(TimeSpan.Zero, TimeSpan.FromHours(24), []))
            .AddSingleton(new ChannelOptions(null, null, null, null, null, null, null)).AddSingleton<DatabaseOutbox>();
        _journals.AddClaimsTo(services);
        var outbox = services.BuildServiceProvider().GetRequiredService<DatabaseOutbox>();
        await outbox.RegisterAsync(Names, default);
        await CheckAsync(Found(2));
        await using (var silencing = await _db.OpenConnectionAsync())
            await silencing.ExecuteAsync(
                "INSERT INTO silences (fingerprint, until, created_by, created_at) VALUES ('r:s0', @until, 'ann', @at)",
                new { until = Noon.AddHours(1).UtcDateTime, at = Noon.UtcDateTime });
        var open = await outbox.ClaimAsync("webhook", 8, [], default);
        Assert.That(open.SelectMany(claimed => claimed.Message.Entries).Select(entry => entry.Subject), Is.EqualTo(new[] { "s1" }));
        clock.Advance(TimeSpan.FromHours(1));
        var after = await outbox.ClaimAsync("webhook", 8, [.. open.Select(claimed => claimed.Message.NotificationId)], default);
        Assert.That(after.SelectMany(claimed => claimed.Message.Entries).Select(entry => entry.Subject), Is.EqualTo(new[] { "s0" }));
    }

    [Test]
    public async Task Claim_of_a_dead_worker_lapses_and_a_clock_that_was_set_back_delays_nothing()
    {
        var clock = new ManualClock(Noon);
        DatabaseOutbox Outbox(string worker) => _journals.AddClaimsTo(new ServiceCollection()).AddLogging()
            .AddMonitoringData(new DatabaseOptions(TestDatabase.ConnectionTo(_db))).AddSingleton<TimeProvider>(clock)
            .AddSingleton(new WorkerIdentity(worker))
            .AddSingleton(new NotificationOptions(TimeSpan.FromSeconds(30), TimeSpan.FromHours(24), []))
            .AddSingleton(new ChannelOptions(null, null, null, null, null, null, null))
            .AddSingleton<DatabaseOutbox>().BuildServiceProvider().GetRequiredService<DatabaseOutbox>();
        var (one, two) = (Outbox("one"), Outbox("two"));
        await one.RegisterAsync(Names, default);
        await CheckAsync(Found(1));
        var claimed = (await one.ClaimAsync("webhook", 8, [], default)).Single();
        clock.Advance(DatabaseOutbox.Lease - TimeSpan.FromSeconds(1));
        await one.RenewAsync([claimed.Message.NotificationId], default);
        clock.Advance(DatabaseOutbox.Lease - TimeSpan.FromSeconds(1));
        Assert.That(await two.ClaimAsync("webhook", 8, [], default), Is.Empty);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await two.ClaimAsync("webhook", 8, [], default)).Single().Message.NotificationId,
            Is.EqualTo(claimed.Message.NotificationId));

        await CheckAsync(Found(2));
        clock.Advance(-TimeSpan.FromHours(3));
        Assert.That(await two.ClaimAsync("webhook", 8, [], default), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Letters_for_a_channel_that_no_worker_has_are_given_up_after_the_deadline()
    {
        await CheckAsync(Found(1));
        var table = new Data.Notifications.NotificationChannelTable(_db);
        await table.RegisterAsync(
            ["webhook"], DateTimeOffset.MaxValue.AddYears(-7000), DateTimeOffset.MinValue.AddYears(2000), "nobody", default);
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM notifications WHERE status = 'dead'"), Is.Zero);
        await table.RegisterAsync(["webhook"], Noon.AddYears(10), Noon.AddYears(9), "nobody has it", default);
        Assert.That(await QueryAsync<(string, string)>("SELECT channel, last_error FROM notifications WHERE status = 'dead'"),
            Is.EqualTo(("other", "nobody has it")));
    }

    [Test]
    public async Task Message_that_is_lost_on_one_channel_is_an_event_that_the_others_tell()
    {
        await using var slack = await ReceiverUnderTest.StartAsync();
        _receiver.AnswerWith(400, "no such hook");
        await using var worker = await WorkerUnderTest.CreateAsync(TimeProvider.System, settings:
            [("WEBHOOK_URL", _receiver.Url), ("SLACK_WEBHOOK_URL", slack.Url), ("Notifications:GroupWindow", "0")]);
        var notifier = worker.Services.GetServices<IHostedService>().OfType<Notifier>().Single();
        await notifier.StartAsync(default);
        await worker.Services.GetRequiredService<RecordingPipeline>().RecordAsync(
            ResultSample.Of("m", Noon, CheckOutcome.Succeeded, Found(1), []), default);
        await slack.WaitForNextAsync();
        await WaitForAsync("(SELECT count(*) = 1 FROM notifications WHERE channel = 'webhook' AND status = 'dead')", worker.Db);
        await worker.CheckAsync(CheckRunner.CutToSecond(TimeProvider.System.GetUtcNow()), WatchdogMonitor.MonitorName);
        await slack.WaitForNextAsync();
        Assert.That(slack.Received[^1].Text, Does.Contain("Messages to webhook are lost").And.Contain("HTTP 400"));
        Assert.That(_receiver.Received, Has.Count.EqualTo(1), "a channel is not asked to tell that it is broken");
        await notifier.StopAsync(default);
    }
}
