using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Recording;

/// <summary>
/// A pipeline and a notifier with a channel that notes what it is asked to send. The notifier sees what is to leave without the database;
/// from the database a test claims by itself.
/// </summary>
public abstract class OutageNotifierFixture : RecorderFixture
{
    private protected readonly RecordingChannel _channel;
    private protected int _minute;
    private readonly List<Notifier> _notifiers = [];
    private OutageOutbox _outbox = null!;

    protected OutageNotifierFixture() : this(new RecordingChannel())
    {
    }

    private OutageNotifierFixture(RecordingChannel channel) : base(channel) => _channel = channel;

    private protected Task CheckAsync(params Finding[] findings)
    {
        _clock.Advance(TimeSpan.FromMinutes(1));
        return Recorder.RecordAsync(ResultSample.Of("m", Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, findings, []), default);
    }

    private protected static Finding Found(Severity severity, string subject = "s") => ResultSample.Finding("r", subject, severity);

    private protected override ServiceProvider Build(string journal, long maxBytes = 1 << 20)
    {
        var services = base.Build(journal, maxBytes);
        _outbox = new OutageOutbox(services.GetRequiredService<IOutbox>(), services.GetRequiredService<OfflineOutbox>(),
            ClaimsFromDatabase ? null : services.GetRequiredService<DatabaseLink>());
        var notifier = ActivatorUtilities.CreateInstance<Notifier>(services, _outbox);
        _ = notifier.StartAsync(default);
        _notifiers.Add(notifier);
        return services;
    }

    [TearDown]
    public async Task StopNotifiers()
    {
        foreach (var notifier in _notifiers)
            await notifier.StopAsync(new CancellationToken(canceled: true)); // attempts may have no end
    }

    /// <summary>Whether the notifier claims from the database too, as a worker does.</summary>
    private protected virtual bool ClaimsFromDatabase => false;

    // A process that dies: nothing is closed, and nothing that it sends afterwards counts.
    private protected async Task RestartAsync(string journal)
    {
        await _notifiers[^1].StopAsync(new CancellationToken(canceled: true));
        await using var dead = _services;
        _services = Build(journal);
    }

    private protected Task WakeAsync() => _outbox.WakeAsync();

    // What was sent until all that is due was claimed and is delivered or has failed; what does not leave is not waited for.
    private protected async Task<List<NotificationMessage>> SentAsync()
    {
        await _outbox.IdleAsync();
        await _outbox.IdleAsync();
        return _channel.TakeAll();
    }

    private protected async Task<string[]> RowsAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<string>("SELECT concat_ws(' ', rule_id, n.kind, n.severity, n.status, n.message_id) "
            + "FROM notifications AS n JOIN security_events USING (event_id) ORDER BY seq")];
    }

    private protected string Copy() => TestFolder.CopyOfJournal(_journal);

    // What the outbox of this worker would send now; it reaches the database beside the gate.
    private protected Task<IReadOnlyList<ClaimedMessage>> ClaimAsync() => new DatabaseOutbox(
        new NotificationClaims(_db), new NotificationChannelTable(_db),
        new ChannelListener(new DatabaseOptions(_connection)), _services.GetRequiredService<InFlightClaims>(),
        new NotificationOptions(TimeSpan.Zero, TimeSpan.FromHours(24), []),
        new ChannelOptions(null, null, null, null, null, null, null), _services.GetRequiredService<RuleCatalog>(),
        new WorkerIdentity("test"), _clock)
        .ClaimAsync(_channel.Name, 8, [], default);

    private protected Task LearnAsync() => _services.GetRequiredService<EventSnapshotRefresh>().RefreshIfDueAsync(default);

    // Of the first message of an outage, which always tells of the outage too.
    private protected async Task<IEnumerable<string>> SubjectsNotifiedAsync() =>
        (await _channel.NextAsync()).Entries.Where(entry => entry.RuleId == "r").Select(entry => entry.Subject);

    private sealed class OutageOutbox(IOutbox outbox, OfflineOutbox offline, DatabaseLink? link) : IOutbox
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60); // ends a test that would hang
        private readonly TaskCompletionSource<Action> _watched = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile TaskCompletionSource? _lookedInVain;

        public async Task WakeAsync() => (await _watched.Task.WaitAsync(Patience, TimeProvider.System))();

        public async Task IdleAsync()
        {
            var looked = _lookedInVain = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await WakeAsync();
            await looked.Task.WaitAsync(Patience, TimeProvider.System);
            await offline.HoldAsync(default);
            offline.Release();
        }

        public async Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(
            string channel, int most, IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken)
        {
            var looked = _lookedInVain;
            var claimed = link?.IsAway != false ? await outbox.ClaimAsync(channel, most, inFlight, cancellationToken) : [];
            if (claimed.Count == 0)
                looked?.TrySetResult();
            return claimed;
        }

        public Task RenewAsync(IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task MarkAsync(string channel, Guid messageId, DeliveryVerdict? verdict, CancellationToken cancellationToken) =>
            outbox.MarkAsync(channel, messageId, verdict, cancellationToken);

        public Task RegisterAsync(IReadOnlyList<string> channels, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task WatchAsync(Action wake, CancellationToken cancellationToken)
        {
            _watched.TrySetResult(wake);
            return offline.WatchAsync(wake, cancellationToken);
        }

        public Task<IReadOnlyList<DeadLetters>> ListDeadAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
            outbox.ListDeadAsync(since, cancellationToken);
    }

    internal sealed class RecordingChannel : INotificationChannel
    {
        private readonly System.Threading.Channels.Channel<NotificationMessage> _sent =
            System.Threading.Channels.Channel.CreateUnbounded<NotificationMessage>();

        public string Name => "test";

        public DeliveryOutcome Outcome { get; set; } = new DeliveryOutcome.Delivered();

        public Exception? Defect { get; set; }

        /// <summary>Attempts end when this does.</summary>
        public Task Answer { get; set; } = Task.CompletedTask;

        public async Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken)
        {
            var (outcome, defect, answer) = (Outcome, Defect, Answer);
            _sent.Writer.TryWrite(message);
            await answer;
            return defect is null ? outcome : throw defect;
        }

        public async Task<NotificationMessage> NextAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System); // ends a test that would hang
            return await _sent.Reader.ReadAsync(patience.Token);
        }

        public List<NotificationMessage> TakeAll()
        {
            var all = new List<NotificationMessage>();
            while (_sent.Reader.TryRead(out var message))
                all.Add(message);
            return all;
        }
    }
}
