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
    private readonly Dictionary<Guid, AttemptEntry> _attempted = []; // by each of the notifications that it holds, until the database knows
    private readonly Dictionary<Guid, DeliveryEntry> _delivered = []; // likewise
    private readonly HashSet<Guid> _opened = []; // events of this outage
    private readonly HashSet<(Guid Event, string Channel)> _told = []; // of them
    private readonly Dictionary<(Guid Event, string Channel), List<Guid>> _left = []; // what is left to the outbox, being not urgent
    private CancellationTokenSource _pause = new();
    private bool _away;
    private bool _loaded;

    /// <summary>This row of the outbox as it is to be stored: as delivered where it went out already, as part of the same message where that was tried.</summary>
    public NewNotification Mark(NewNotification row)
    {
        lock (_lock)
            return _delivered.TryGetValue(row.NotificationId, out var sent) ? row with { DeliveredAt = sent.DeliveredAt, MessageId = sent.MessageId }
                : _attempted.TryGetValue(row.NotificationId, out var begun) ? row with { MessageId = begun.MessageId }
                : row;
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
            foreach (var entry in backlog.ReadAll())
                if (entry is AttemptEntry attempt)
                    Remember(attempt);
                else if (entry is DeliveryEntry delivery)
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
            var earlier = backlog.ReadAll().OfType<OutageEntry>().FirstOrDefault();
            events.BeginExpecting(earlier?.Open ?? []);
            if (earlier is null)
                backlog.Add(new OutageEntry(outage.Since, events.Open));
            _away = true;
            _opened.Clear();
            _told.Clear();
            _left.Clear();
            foreach (var waiting in backlog.ReadAll().OfType<ResultEntry>()) // one by one: they may be more than fit into memory
                Follow(waiting.Result);
        }
    }

    /// <summary>Follows one more result that waits.</summary>
    public void Take(CheckResult result)
    {
        lock (_lock)
            if (_away)
                Follow(result);
    }

    /// <summary>The database has a result, and took over what is not sent yet. <paramref name="stored"/>: what it made of it; null where it had the result already.</summary>
    public void End(CheckResult result, EventUpdate? stored)
    {
        lock (_lock)
        {
            _away = false;
            foreach (var lane in _lanes.Values)
                hands.Release(lane.Drop().Where(id => !_attempted.ContainsKey(id)));
            if (events.Learn(result, stored, clock.GetUtcNow()))
                file.Write(events.ViewAt(clock.GetUtcNow()));
        }
    }

    /// <summary>The database knows in which message these were tried; every result before it is stored, too.</summary>
    public void Forget(AttemptEntry attempt)
    {
        lock (_lock)
        {
            foreach (var id in attempt.NotificationIds)
                _attempted.Remove(id);
            hands.Release(attempt.NotificationIds.Where(id => !_delivered.ContainsKey(id)));
        }
    }

    /// <summary>The database knows that these were sent.</summary>
    public void Forget(DeliveryEntry delivery)
    {
        lock (_lock)
        {
            foreach (var id in delivery.NotificationIds)
                _delivered.Remove(id);
            hands.Release(delivery.NotificationIds);
        }
    }

    /// <summary>The events of a monitor that were not resolved when the database last answered.</summary>
    public IReadOnlyList<SecurityEvent> OpenOf(string monitor)
    {
        lock (_lock)
            return [.. events.Open.Where(e => e.Monitor == monitor)];
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
            var changed = update.EventOf(change);
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
        lane.Waiting.Add(new Waiting(ids, entry));
        Start(lane);
    }

    private void Remember(AttemptEntry attempt)
    {
        foreach (var id in attempt.NotificationIds)
            _attempted[id] = attempt;
        hands.Take(attempt.NotificationIds);
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
        while (Next(lane, paused) is { } message)
        {
            if (!await WaitUntilAsync(lane.NotBefore, paused))
                continue;
            switch (await AttemptAsync(lane.Channel, message))
            {
                case DeliveryOutcome.Delivered:
                    Note(lane);
                    lane.Pause = FirstPause;
                    break;
                case DeliveryOutcome.Retry retry:
                    LogRetried(lane.Channel.Name, message.NotificationId, retry.Reason);
                    lane.NotBefore = clock.GetUtcNow() + (retry.After ?? lane.Pause);
                    lane.Pause = lane.Pause * 2 < LongestPause ? lane.Pause * 2 : LongestPause;
                    break;
                case DeliveryOutcome.Dead dead:
                    LogDead(lane.Channel.Name, message.NotificationId, dead.Reason);
                    lock (_lock)
                        lane.Message = null;
                    break;
            }
        }
    }

    private static async Task<DeliveryOutcome> AttemptAsync(INotificationChannel channel, NotificationMessage message)
    {
        try
        {
            return await channel.SendAsync(message, CancellationToken.None); // its own deadline ends it
        }
        catch (Exception defect) // of the channel: it must not end the sending
        {
            return new DeliveryOutcome.Retry($"{defect.GetType().Name}: {defect.Message}");
        }
    }

    // Answers false when the database is back, or for a moment of storing: another time.
    private async Task<bool> WaitUntilAsync(DateTimeOffset time, CancellationToken paused)
    {
        var wait = time - clock.GetUtcNow();
        if (wait > TimeSpan.Zero)
            await Task.WhenAny(Task.Delay(wait < DeliveryRules.LongestPause ? wait : DeliveryRules.LongestPause, clock, paused));
        return !paused.IsCancellationRequested;
    }

    private NotificationMessage? Next(Lane lane, CancellationToken paused)
    {
        lock (_lock)
        {
            if (lane.Message is null && lane.Waiting.Count > 0)
                Compose(lane);
            if (!paused.IsCancellationRequested && lane.Message is { } message)
                return message;
            lane.Running = Task.CompletedTask; // under the lock: whoever adds a message from here on starts anew
            return null;
        }
    }

    // All that gathered goes as one. What was tried before, also by an earlier process, is repeated as it was, under the same id; unless a part of it is stored by now.
    private void Compose(Lane lane)
    {
        var begun = _attempted.GetValueOrDefault(lane.Waiting[0].Ids[0]);
        var taken = lane.Waiting.Where(waiting => _attempted.GetValueOrDefault(waiting.Ids[0])?.MessageId == begun?.MessageId).ToList();
        lane.Waiting.RemoveAll(taken.Contains);
        Guid[] ids = [.. taken.SelectMany(waiting => waiting.Ids)];
        if (begun is null || !begun.NotificationIds.Order().SequenceEqual(ids.Order()))
        {
            begun = new AttemptEntry(ids.Length == 1 ? ids[0] : StableId.Of(taken[0].Entry.FirstSeenAt, ids.Select(id => $"{id}")), ids, lane.Channel.Name);
            backlog.Add(begun);
            Remember(begun);
        }

        (lane.Ids, lane.Message) = (begun.NotificationIds, new NotificationMessage(begun.MessageId, [.. taken.Select(waiting => waiting.Entry)]));
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

    private sealed record Waiting(Guid[] Ids, NotificationEntry Entry);

    private sealed class Lane(INotificationChannel channel)
    {
        public INotificationChannel Channel { get; } = channel;

        public List<Waiting> Waiting { get; } = [];

        public NotificationMessage? Message { get; set; }

        public IReadOnlyList<Guid> Ids { get; set; } = [];

        public Task Running = Task.CompletedTask;

        public TimeSpan Pause { get; set; } = FirstPause;

        public DateTimeOffset NotBefore { get; set; } = DateTimeOffset.MinValue;

        /// <summary>Gives up what is not sent yet, and answers its ids.</summary>
        public IReadOnlyList<Guid> Drop()
        {
            IReadOnlyList<Guid> dropped = [.. Message is null ? [] : Ids, .. Waiting.SelectMany(waiting => waiting.Ids)];
            Message = null;
            Waiting.Clear();
            return dropped;
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Severity} {RuleId}: {Title}; sent to {Channel} without the database [notification {NotificationId}]")]
    private partial void LogSent(Severity severity, string ruleId, string title, string channel, Guid notificationId);

    [LoggerMessage(LogLevel.Warning, "{Channel}: notification {NotificationId} is tried again: {Reason}")]
    private partial void LogRetried(string channel, Guid notificationId, string reason);

    [LoggerMessage(LogLevel.Error, "{Channel}: notification {NotificationId} is refused: {Reason}. The outbox has it when the database is back")]
    private partial void LogDead(string channel, Guid notificationId, string reason);
}
