using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Recording;

/// <summary>A recorder with a channel that notes what it is asked to send.</summary>
public abstract class DirectSendingFixture : RecorderFixture
{
    private protected readonly RecordingChannel _channel;
    private protected int _minute;

    protected DirectSendingFixture() : this(new RecordingChannel())
    {
    }

    private DirectSendingFixture(RecordingChannel channel) : base(channel) => _channel = channel;

    private protected Task CheckAsync(params Finding[] findings)
    {
        _clock.Advance(TimeSpan.FromMinutes(1));
        return Recorder.RecordAsync(ResultSample.Of("m", Noon.AddMinutes(++_minute), CheckOutcome.Succeeded, findings, []), default);
    }

    private protected static Finding Found(Severity severity, string subject = "s") => ResultSample.Finding("r", subject, severity);

    // Whatever is under way has then arrived; what does not leave is not waited for.
    private protected async Task<List<NotificationMessage>> SentAsync()
    {
        await _services.GetRequiredService<DirectSender>().PauseAsync(default);
        _services.GetRequiredService<DirectSender>().Resume();
        await _services.GetRequiredService<DirectSender>().PauseAsync(default);
        _services.GetRequiredService<DirectSender>().Resume();
        return _channel.TakeAll();
    }

    private protected async Task<string[]> RowsAsync()
    {
        await using var connection = await _db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<string>("SELECT concat_ws(' ', rule_id, n.kind, n.severity, n.status, n.message_id) FROM notifications AS n JOIN security_events USING (event_id) ORDER BY seq")];
    }

    private protected string Copy() => TestFolder.CopyOfJournal(_journal);

    // What the outbox of this worker would send now; it reaches the database beside the gate.
    private protected Task<IReadOnlyList<ClaimedMessage>> ClaimAsync() => new DatabaseOutbox(
        new NotificationClaims(_db), new NotificationChannelTable(_db), new ChannelListener(new DatabaseOptions(_connection)), _services.GetRequiredService<OtherHands>(),
        new NotificationOptions(TimeSpan.Zero, TimeSpan.FromHours(24), []), new ChannelOptions(null, null, null, null, null, null, null), new WorkerIdentity("test"), _clock)
        .ClaimAsync(_channel.Name, 8, [], default);

    private protected async Task LearnAsync()
    {
        var view = await _services.GetRequiredService<EventsMirror>().ReadIfDueAsync(default);
        _services.GetRequiredService<DirectSender>().Learn(view!);
    }

    // Of the first message of an outage, which always tells of the outage too.
    private protected async Task<IEnumerable<string>> SubjectsToldAsync() => (await _channel.NextAsync()).Entries.Where(entry => entry.RuleId == "r").Select(entry => entry.Subject);

    internal sealed class RecordingChannel : INotificationChannel
    {
        private readonly System.Threading.Channels.Channel<NotificationMessage> _sent = System.Threading.Channels.Channel.CreateUnbounded<NotificationMessage>();

        public string Name => "test";

        public DeliveryOutcome Outcome { get; set; } = new DeliveryOutcome.Delivered();

        public Exception? Defect { get; set; }

        public Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken)
        {
            var (outcome, defect) = (Outcome, Defect);
            _sent.Writer.TryWrite(message);
            return defect is null ? Task.FromResult(outcome) : Task.FromException<DeliveryOutcome>(defect);
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
