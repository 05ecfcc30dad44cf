using Monitoring.Data.Events;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Notifications;

/// <summary>The outbox of a worker without a database: what waits, and who was told of which event, lives in this process and ends with it.</summary>
internal sealed class MemoryOutbox(NotificationRouting routing, NotificationOptions options, ChannelOptions channels, TimeProvider clock) : IOutbox
{
    private sealed class Message(NotificationMessage content)
    {
        public NotificationMessage Content => content;
        public int Attempts { get; set; }
        public bool UnderWay { get; set; }
        public DateTimeOffset NextAttemptAt { get; set; }
        public DateTimeOffset? GiveUpAt { get; set; }
    }

    private sealed class Queue
    {
        public List<NotificationEntry> Fresh { get; } = [];
        public List<Message> Messages { get; } = [];
        public List<DeadLetters> Dead { get; } = [];
        public HashSet<Guid> Told { get; } = [];
        public DateTimeOffset WindowUntil { get; set; }
        public bool WindowCritical { get; set; }
        public DateTimeOffset PausedUntil { get; set; }
    }

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue> _queues = [];
    private Action _wake = () => { };

    /// <summary>Puts in what these changes ask for: openings and escalations by route, everything to those that were told.</summary>
    public void Add(EventUpdate update)
    {
        lock (_lock)
            foreach (var change in update.Changes)
                Add(update.EventOf(change), change);
        _wake();
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(string channel, int most, IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var (now, queue) = (clock.GetUtcNow(), QueueOf(channel));
            if (now < queue.PausedUntil)
                return Task.FromResult<IReadOnlyList<ClaimedMessage>>([]);
            Form(queue, now);
            var due = queue.Messages.Where(message => message.NextAttemptAt <= now && !message.UnderWay).Take(most).ToList();
            foreach (var message in due)
                (message.Attempts, message.UnderWay) = (message.Attempts + 1, true);
            return Task.FromResult<IReadOnlyList<ClaimedMessage>>([.. due.Select(message => new ClaimedMessage(message.Content, message.Attempts, message.GiveUpAt))]);
        }
    }

    /// <inheritdoc/>
    public Task RenewAsync(IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task MarkAsync(string channel, Guid messageId, DeliveryVerdict? verdict, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var queue = QueueOf(channel);
            var message = queue.Messages.First(message => message.Content.NotificationId == messageId);
            message.UnderWay = false;
            if (verdict is DeliveryVerdict.Again again)
            {
                (message.NextAttemptAt, message.GiveUpAt) = (again.At, again.GiveUpAt);
                queue.PausedUntil = again.PausedUntil ?? queue.PausedUntil;
            }
            else if (verdict is not null)
            {
                queue.Messages.Remove(message);
            }

            if (verdict is DeliveryVerdict.Delivered)
                foreach (var waiting in queue.Messages.Where(waiting => waiting.NextAttemptAt > clock.GetUtcNow() + DeliveryRules.AfterSuccess))
                    waiting.NextAttemptAt = clock.GetUtcNow() + DeliveryRules.AfterSuccess;

            if (verdict is DeliveryVerdict.Dead dead && message.Content.Entries.Count(entry => entry.RuleId != NotificationRouting.UndeliveredRule) is > 0 and var lost)
                queue.Dead.Add(new DeadLetters(channel, lost, clock.GetUtcNow(), dead.Error));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task RegisterAsync(IReadOnlyList<string> channels, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task WatchAsync(Action wake, CancellationToken cancellationToken)
    {
        _wake = wake;
        wake();
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<DeadLetters>> ListDeadAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var queue in _queues.Values)
                queue.Dead.RemoveAll(letters => letters.NewestAt < since);
            return Task.FromResult<IReadOnlyList<DeadLetters>>([.. _queues.Values.Where(queue => queue.Dead.Count > 0)
                .Select(queue => queue.Dead[^1] with { Count = queue.Dead.Sum(letters => letters.Count) })]);
        }
    }

    private void Add(SecurityEvent e, SecurityEventChange change)
    {
        var told = _queues.Where(queue => queue.Value.Told.Contains(e.EventId)).Select(queue => queue.Key);
        var routed = change.Kind is ChangeKind.Opened or ChangeKind.Escalated ? routing.ChannelsFor(e) : [];
        foreach (var channel in told.Union(routed).ToList())
        {
            var queue = QueueOf(channel);
            queue.Fresh.Add(new NotificationEntry(e.EventId, change.Kind, change.Severity, e.RuleId, e.ThreatType, e.Subject, e.Title, e.Description,
                e.FirstSeenAt, change.ChangedAt, e.Indicators, e.RelatedAddresses, change.Note, channels.LinkTo(e.EventId)));
            if (change.Kind.Ends())
                queue.Told.Remove(e.EventId);
            else
                queue.Told.Add(e.EventId);
        }
    }

    // As NotificationClaims does it in SQL: nothing passes an earlier message of its event; what comes in a window is gathered, unless it is its first critical one.
    private void Form(Queue queue, DateTimeOffset now)
    {
        var underWay = queue.Messages.SelectMany(message => message.Content.Entries).Select(entry => entry.EventId).ToHashSet();
        var due = queue.Fresh.Where(entry => !underWay.Contains(entry.EventId)).ToList();
        if (options.GroupWindow == TimeSpan.Zero)
            due = [.. due.DistinctBy(entry => entry.EventId)];
        var urgent = due.Exists(entry => entry is { Severity: Severity.Critical, Kind: ChangeKind.Opened or ChangeKind.Escalated });
        if (due.Count == 0 || (now < queue.WindowUntil && (queue.WindowCritical || !urgent)))
            return;

        queue.Fresh.RemoveAll(due.Contains);
        if (options.GroupWindow == TimeSpan.Zero)
        {
            queue.Messages.AddRange(due.Select(entry => NewMessage([entry], now)));
            return;
        }

        queue.Messages.Add(NewMessage(due, now));
        (queue.WindowUntil, queue.WindowCritical) = (now + options.GroupWindow, urgent);
    }

    private static Message NewMessage(List<NotificationEntry> entries, DateTimeOffset now) => new(new NotificationMessage(Guid.CreateVersion7(now), entries));

    private Queue QueueOf(string channel)
    {
        if (!_queues.TryGetValue(channel, out var queue))
            _queues[channel] = queue = new Queue();
        return queue;
    }
}
