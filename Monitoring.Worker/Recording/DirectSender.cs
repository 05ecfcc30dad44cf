using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Recording;

/// <summary>
/// While the database is away: sends what is critical, and the recorder's own events, straight to the channels. It follows the results that wait with the same state machine
/// and the same ids as the database will, so each opening goes out once, and what went out is in the journal, so that it is stored as delivered later.
/// </summary>
internal sealed partial class DirectSender(
    IEnumerable<INotificationChannel> channels, NotificationRouting routing, ChannelOptions options, KnownEvents events, KnownEventsFile file, OtherHands hands, Backlog backlog,
    TimeProvider clock, ILogger<DirectSender> logger) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Lane> _lanes = channels.ToDictionary(channel => channel.Name, channel => new Lane(channel));
    private readonly Dictionary<Guid, DeliveryEntry> _delivered = []; // by each of the notifications that it holds
    private readonly HashSet<Guid> _opened = []; // events of this outage
    private readonly HashSet<(Guid Event, string Channel)> _told = []; // of them
    private readonly Dictionary<(Guid Event, string Channel), List<Guid>> _left = []; // what is left to the outbox, being not urgent
    private CancellationTokenSource _pause = new();
    private bool _away;
    private bool _loaded;

    /// <summary>This row of the outbox as it is to be stored: as delivered, where it went out already.</summary>
    public NewNotification Mark(NewNotification row)
    {
        lock (_lock)
            return _delivered.TryGetValue(row.NotificationId, out var sent) ? row with { DeliveredAt = sent.DeliveredAt, MessageId = sent.MessageId } : row;
    }

    /// <summary>Reads what an earlier process knew and sent, once. Called before anything of its journal is stored, and before the outbox is read.</summary>
    public void Load()
    {
        if (_loaded)
            return;
        _loaded = true;
        lock (_lock)
        {
            if (file.Read(clock.GetUtcNow()) is { } known)
                events.Learn(known);
            foreach (var delivery in backlog.ReadAll().OfType<DeliveryEntry>())
                Remember(delivery);
        }
    }

    /// <summary>Notes what the database says of the events.</summary>
    public void Learn(EventsView view)
    {
        lock (_lock)
            if (!_away)
            {
                events.Learn(view);
                file.Write(view);
            }
    }

    /// <summary>The database went away: follows everything that waits. Nothing is sent before <see cref="Resume"/>.</summary>
    public void Begin(DatabaseOutage outage)
    {
        lock (_lock)
        {
            var waiting = backlog.ReadAll().ToList();
            var earlier = waiting.OfType<OutageEntry>().FirstOrDefault();
            events.BeginExpecting(earlier?.Open ?? []);
            if (earlier is null)
                backlog.Add(new OutageEntry(outage.Since, events.Open));
            _away = true;
            _opened.Clear();
            _told.Clear();
            _left.Clear();
            foreach (var result in waiting.OfType<ResultEntry>())
                Follow(result.Result);
        }
    }

    /// <summary>Follows one more result that waits.</summary>
    public void Take(CheckResult result)
    {
        lock (_lock)
            if (_away)
                Follow(result);
    }

    /// <summary>The database has stored a result: it took over what is not sent yet.</summary>
    public void End(EventUpdate? stored)
    {
        lock (_lock)
        {
            _away = false;
            foreach (var lane in _lanes.Values)
                hands.Release(lane.Drop());

            if (stored is null)
                return;
            events.Learn(stored);
            if (stored.Changes.Count > 0)
                file.Write(events.ViewAt(clock.GetUtcNow()));
        }
    }

    /// <summary>The record of a message that went out is stored; every result before it is, too.</summary>
    public void Forget(DeliveryEntry delivery)
    {
        lock (_lock)
        {
            foreach (var id in delivery.NotificationIds)
                _delivered.Remove(id);
            hands.Release(delivery.NotificationIds);
        }
    }

    /// <summary>Ends the sending; returns when no message is under way, so that each is either noted as sent or free to be sent by the outbox.</summary>
    public async Task PauseAsync(CancellationToken cancellationToken)
    {
        Task[] running;
        lock (_lock)
        {
            _pause.Cancel();
            running = [.. _lanes.Values.Select(lane => lane.Running)];
        }

        await Task.WhenAll(running).WaitAsync(cancellationToken);
    }

    /// <summary>Goes on sending.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            _pause.Dispose();
            _pause = new CancellationTokenSource();
            foreach (var lane in _lanes.Values)
                Start(lane);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pause.Cancel();
        _pause.Dispose();
    }

    private void Follow(CheckResult result)
    {
        var update = events.Expect(result, clock.GetUtcNow());
        foreach (var change in update.Changes.Where(change => change.Kind is ChangeKind.Opened or ChangeKind.Escalated))
        {
            var changed = update.Events.First(e => e.EventId == change.EventId);
            if (change.Kind == ChangeKind.Opened)
                _opened.Add(change.EventId);
            foreach (var row in routing.For(changed, change))
                if (_delivered.ContainsKey(row.NotificationId))
                    _told.Add((row.EventId, row.Channel));
                else if ((changed.Severity == Severity.Critical || changed.Monitor == RecorderCheck.MonitorName) && !events.IsSilenced(changed.Fingerprint, clock.GetUtcNow()))
                    Send(row, changed, change);
                else if (!_left.TryAdd((row.EventId, row.Channel), [row.NotificationId]))
                    _left[(row.EventId, row.Channel)].Add(row.NotificationId);
        }
    }

    private void Send(NewNotification row, SecurityEvent e, SecurityEventChange change)
    {
        // An event of this outage that was not urgent at first is opened for people by this message, which stands for those that were left.
        var first = _told.Add((e.EventId, row.Channel)) && _opened.Contains(e.EventId);
        Guid[] ids = [row.NotificationId, .. _left.Remove((e.EventId, row.Channel), out var left) ? left : []];
        var entry = new NotificationEntry(e.EventId, first ? ChangeKind.Opened : change.Kind, change.Severity, e.RuleId, e.ThreatType, e.Subject, e.Title, e.Description,
            e.FirstSeenAt, change.ChangedAt, e.Indicators, e.RelatedAddresses, change.Note, options.LinkTo(e.EventId));
        var lane = _lanes[row.Channel];
        hands.Take(ids);
        lane.Waiting.Add((ids, entry));
        Start(lane);
    }

    private void Remember(DeliveryEntry delivery)
    {
        foreach (var id in delivery.NotificationIds)
            _delivered[id] = delivery;
        hands.Take(delivery.NotificationIds);
    }

    private void Start(Lane lane)
    {
        if (!_pause.IsCancellationRequested && lane.Running.IsCompleted && (lane.Waiting.Count > 0 || lane.Message is not null))
            lane.Running = Task.Run(() => SendAsync(lane, _pause.Token), CancellationToken.None);
    }

    private async Task SendAsync(Lane lane, CancellationToken paused)
    {
        for (var pause = FirstPause; Next(lane, paused) is { } message;)
            switch (await lane.Channel.SendAsync(message, CancellationToken.None)) // its own deadline ends it
            {
                case DeliveryOutcome.Delivered:
                    Note(lane);
                    pause = FirstPause;
                    break;
                case DeliveryOutcome.Retry retry:
                    LogRetried(lane.Channel.Name, message.NotificationId, retry.Reason);
                    await WaitAsync(retry.After ?? pause, paused);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                    break;
                case DeliveryOutcome.Dead dead:
                    LogDead(lane.Channel.Name, message.NotificationId, dead.Reason);
                    lock (_lock)
                    {
                        lane.Message = null;
                        hands.Release(lane.Ids);
                    }

                    break;
            }
    }

    private async Task WaitAsync(TimeSpan time, CancellationToken paused)
    {
        try
        {
            await Task.Delay(time, clock, paused);
        }
        catch (OperationCanceledException)
        {
            // The database is back, or a moment of storing: another time.
        }
    }

    private NotificationMessage? Next(Lane lane, CancellationToken paused)
    {
        lock (_lock)
        {
            if (lane.Message is null && lane.Waiting.Count > 0)
                lane.Take(); // all that gathered goes as one; a repeat is the same again

            if (!paused.IsCancellationRequested && lane.Message is { } message)
                return message;
            lane.Running = Task.CompletedTask; // under the lock: whoever adds a message from here on starts anew
            return null;
        }
    }

    private void Note(Lane lane)
    {
        lock (_lock)
        {
            var message = lane.Message!;
            var delivery = new DeliveryEntry(message.NotificationId, lane.Ids, lane.Channel.Name, clock.GetUtcNow());
            backlog.Add(delivery);
            Remember(delivery);
            lane.Message = null;
            foreach (var entry in message.Entries)
                LogSent(entry.Severity, entry.RuleId, entry.Title, lane.Channel.Name, message.NotificationId);
        }
    }

    private sealed class Lane(INotificationChannel channel)
    {
        public INotificationChannel Channel { get; } = channel;

        public List<(Guid[] Ids, NotificationEntry Entry)> Waiting { get; } = [];

        public NotificationMessage? Message { get; set; }

        public IReadOnlyList<Guid> Ids { get; private set; } = [];

        public void Take()
        {
            Ids = [.. Waiting.SelectMany(waiting => waiting.Ids)];
            Message = new NotificationMessage(Ids[0], [.. Waiting.Select(waiting => waiting.Entry)]);
            Waiting.Clear();
        }

        /// <summary>Gives up what is not sent yet, and answers its ids.</summary>
        public IReadOnlyList<Guid> Drop()
        {
            IReadOnlyList<Guid> dropped = [.. Message is null ? [] : Ids, .. Waiting.SelectMany(waiting => waiting.Ids)];
            Message = null;
            Waiting.Clear();
            return dropped;
        }

        public Task Running = Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Warning, "{Severity} {RuleId}: {Title}; sent to {Channel} without the database [notification {NotificationId}]")]
    private partial void LogSent(Severity severity, string ruleId, string title, string channel, Guid notificationId);

    [LoggerMessage(LogLevel.Warning, "{Channel}: notification {NotificationId} is tried again: {Reason}")]
    private partial void LogRetried(string channel, Guid notificationId, string reason);

    [LoggerMessage(LogLevel.Error, "{Channel}: notification {NotificationId} is refused: {Reason}. The outbox has it when the database is back")]
    private partial void LogDead(string channel, Guid notificationId, string reason);
}
