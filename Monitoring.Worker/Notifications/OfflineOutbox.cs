using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Worker.Events;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// One notification that is to leave without the database. It stands for all of these ids, which are then delivered with it.
/// </summary>
internal sealed record OfflineNotification(string Channel, IReadOnlyList<Guid> Ids, NotificationEntry Entry);

/// <summary>
/// The outbox of this process. A worker without a database has no other; beside a database it holds what must leave while that is away, and
/// journals each claim and delivery through <paramref name="claims"/>, so that the database learns of them and a next process repeats what
/// this one has begun. Due times count from the start of the process: a clock that is set moves none of them.
/// </summary>
internal sealed class OfflineOutbox(
    NotificationOptions options, RuleCatalog rules, TimeProvider clock, InFlightClaims? claims = null) : IOutbox, IDisposable
{
    private sealed class Message(Guid id, IReadOnlyList<Guid> ids, IReadOnlyList<NotificationEntry> entries)
    {
        public NotificationMessage Content { get; } = new(id, entries);
        public IReadOnlyList<Guid> Ids => ids;
        public TimeSpan AddedAt { get; init; }
        public int Attempts { get; set; }
        public bool IsUnderWay { get; set; }
        public TimeSpan DueAt { get; set; }
        public DateTimeOffset? GiveUpAt { get; set; }
    }

    private sealed class Queue
    {
        public List<Message> Fresh { get; } = []; // of one entry each, to be put together
        public List<Message> Messages { get; } = [];
        public List<DeadLetters> Dead { get; } = [];
        public Queue<TimeSpan> Recent { get; } = []; // when the newest messages left
    }

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1); // then the sender looks after its other work first

    // In an outage only what is urgent is sent this way.
    private readonly TimeSpan _window = claims is null ? options.GroupWindow : options.UrgentWindow;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue> _queues = [];
    private readonly long _start = clock.GetTimestamp();
    private readonly SemaphoreSlim _claiming = new(1); // who claims and who holds take turns, so that neither starves the other
    private TaskCompletionSource? _held; // completes when no claim is out

    /// <summary>What to call when there may be something to claim.</summary>
    public Action Wake { private get; set; } = () => { };

    /// <summary>How many notifications are not delivered yet.</summary>
    public int Undelivered
    {
        get
        {
            lock (_lock)
                return _queues.Values.Sum(queue => queue.Fresh.Count + queue.Messages.Sum(message => message.Content.Entries.Count));
        }
    }

    private TimeSpan Now => clock.GetElapsedTime(_start);

    /// <summary>Adds one notification, unless it is here already.</summary>
    public void Add(OfflineNotification notification)
    {
        var (channel, ids, entry) = notification;
        lock (_lock)
        {
            var queue = QueueOf(channel);
            if (queue.Fresh.Concat(queue.Messages).Any(message => message.Ids.Contains(ids[0])))
                return;
            queue.Fresh.Add(new Message(ids[0], ids, [entry]) { AddedAt = Now });
        }

        Wake();
    }

    /// <summary>Takes back what of an event calls for people and was not begun.</summary>
    public IReadOnlyList<OfflineNotification> Withdraw(Guid eventId)
    {
        bool IsMeant(Message one) =>
            EventOf(one) == eventId && one.Content.Entries[0].Kind.Announces() && claims?.Find(one.Ids[0]) is null;
        lock (_lock)
        {
            var withdrawn = _queues.SelectMany(queue => queue.Value.Fresh.Where(IsMeant)
                .Select(one => new OfflineNotification(queue.Key, one.Ids, one.Content.Entries[0]))).ToList();
            foreach (var queue in _queues.Values)
                queue.Fresh.RemoveAll(IsMeant);
            return withdrawn;
        }
    }

    /// <summary>Whether something about an event waits for a channel.</summary>
    public bool HasFor(string channel, Guid eventId)
    {
        lock (_lock)
            return _queues.TryGetValue(channel, out var queue)
                && queue.Fresh.Concat(queue.Messages).SelectMany(message => message.Content.Entries).Any(entry => entry.EventId == eventId);
    }

    /// <summary>Whether a message is here.</summary>
    public bool Holds(Guid messageId)
    {
        lock (_lock)
            return _queues.Values.Any(queue => queue.Messages.Exists(message => message.Content.NotificationId == messageId));
    }

    /// <summary>
    /// Lets nobody claim until <see cref="Release"/>; ends when no claim is out. Meanwhile rows can be stored of which each was delivered,
    /// or begun, or not begun at all.
    /// </summary>
    public async Task HoldAsync(CancellationToken cancellationToken)
    {
        await _claiming.WaitAsync(cancellationToken);
        Task idle;
        lock (_lock)
        {
            _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            idle = _held.Task;
            EndHoldIfIdle();
        }

        try
        {
            await idle.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Release();
            throw;
        }
    }

    /// <summary>Lets claims go on; whoever waits to claim does so before the next hold.</summary>
    public void Release()
    {
        lock (_lock)
            _held = null;
        _claiming.Release();
    }

    /// <summary>The notifications for a channel that wait here and are not under way.</summary>
    public IReadOnlyList<Guid> ListWaiting(string channel)
    {
        lock (_lock)
            return !_queues.TryGetValue(channel, out var queue) ? []
                : [.. queue.Fresh.Concat(queue.Messages).Where(message => !message.IsUnderWay).SelectMany(message => message.Ids)];
    }

    /// <summary>Drops what is not under way of these notifications, because the database has their rows: they leave from there.</summary>
    public void Drop(IReadOnlyCollection<Guid> notificationIds)
    {
        if (notificationIds.Count == 0)
            return;
        bool IsStored(Message message) => !message.IsUnderWay && message.Ids.Any(notificationIds.Contains);
        lock (_lock)
            foreach (var queue in _queues.Values)
            {
                queue.Fresh.RemoveAll(IsStored);
                queue.Messages.RemoveAll(IsStored);
            }
    }

    /// <inheritdoc/>
    public void Dispose() => _claiming.Dispose();

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(
        string channel, int most, IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken)
    {
        if (!await _claiming.WaitAsync(Patience, cancellationToken))
            return [];
        try
        {
            lock (_lock)
                return Claim(channel, most, inFlight);
        }
        finally
        {
            _claiming.Release();
        }
    }

    private IReadOnlyList<ClaimedMessage> Claim(string channel, int most, IReadOnlyCollection<Guid> inFlight)
    {
        var queue = QueueOf(channel);
        Form(queue);
        var due = queue.Messages.Where(message => message.DueAt <= Now && !message.IsUnderWay)
            .ExceptBy(inFlight, message => message.Content.NotificationId).Take(most).ToList();
        foreach (var message in due)
        {
            if (claims?.Find(message.Ids[0])?.MessageId != message.Content.NotificationId)
                claims?.Add(new AttemptEntry(message.Content.NotificationId, message.Ids, channel));
            (message.Attempts, message.IsUnderWay) = (message.Attempts + 1, true);
        }

        return [.. due.Select(message => new ClaimedMessage(message.Content, message.Attempts, message.GiveUpAt))];
    }

    /// <inheritdoc/>
    public Task MarkAsync(string channel, Guid messageId, DeliveryVerdict? verdict, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var queue = QueueOf(channel);
            var message = queue.Messages.First(message => message.Content.NotificationId == messageId);
            message.IsUnderWay = false;
            if (verdict is DeliveryVerdict.Again again)
                (message.DueAt, message.GiveUpAt) = (Now + (again.At - clock.GetUtcNow()), again.GiveUpAt);
            else if (verdict is not null)
                queue.Messages.Remove(message);

            if (verdict is DeliveryVerdict.Delivered)
            {
                claims?.Add(new DeliveryEntry(messageId, message.Ids, channel, clock.GetUtcNow()));
                foreach (var waiting in queue.Messages.Where(waiting => waiting.DueAt > Now + DeliveryRules.AfterSuccess))
                    waiting.DueAt = Now + DeliveryRules.AfterSuccess;
            }

            var lost = message.Content.Entries.Count(entry => entry.RuleId != NotificationRouting.UndeliveredRule);
            if (verdict is DeliveryVerdict.Dead dead && lost > 0)
                queue.Dead.Add(new DeadLetters(channel, lost, clock.GetUtcNow(), dead.Error));
            EndHoldIfIdle();
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task WatchAsync(Action wake, CancellationToken cancellationToken)
    {
        Wake = wake;
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

    // As NotificationClaims does it in SQL: nothing passes an earlier message of its event; after some messages in a minute what comes is
    // gathered, but for the rules that never wait. What was begun before is repeated as it was, without anything else.
    private void Form(Queue queue)
    {
        Move(queue, Due(queue).GroupBy(one => claims?.Find(one.Ids[0])?.MessageId).Where(same => same.Key is not null));
        var due = Due(queue);
        if (_window == TimeSpan.Zero)
        {
            Move(queue, due.DistinctBy(EventOf).Select(one => (Message[])[one]));
            return;
        }

        while (queue.Recent.TryPeek(out var oldest) && Now - oldest >= Minute)
            queue.Recent.Dequeue();
        var all = queue.Recent.Count < NotificationClaims.AtOncePerMinute || due.Exists(one => Now - one.AddedAt >= LongestWait(one));
        var leaving = all ? due : due.FindAll(one => rules.NeverHeld.Contains(one.Content.Entries[0].RuleId));
        if (leaving.Count == 0)
            return;
        Move(queue, [leaving]);
        queue.Recent.Enqueue(Now);
    }

    private TimeSpan LongestWait(Message one) =>
        one.Content.Entries[0] is { Severity: Severity.Critical } entry && entry.Kind.Announces() ? options.UrgentWindow : _window;

    private static Guid EventOf(Message fresh) => fresh.Content.Entries[0].EventId;

    private static List<Message> Due(Queue queue)
    {
        var waiting = queue.Messages.SelectMany(message => message.Content.Entries).Select(entry => entry.EventId).ToHashSet();
        return [.. queue.Fresh.Where(one => !waiting.Contains(EventOf(one)))];
    }

    private void Move(Queue queue, IEnumerable<IEnumerable<Message>> groups)
    {
        var moved = groups.Select(group => group.ToList()).ToList();
        queue.Messages.AddRange(moved.Select(Compose));
        var gone = moved.SelectMany(group => group).ToHashSet();
        queue.Fresh.RemoveAll(gone.Contains);
    }

    // The id stands for what is in the message: the same notifications have the same one again, in this process or the next.
    private Message Compose(List<Message> parts)
    {
        Guid[] ids = [.. parts.SelectMany(part => part.Ids)];
        NotificationEntry[] entries = [.. parts.SelectMany(part => part.Content.Entries)];
        var id = claims?.Find(ids[0]) is { } begun && begun.Ids.Order().SequenceEqual(ids.Order()) ? begun.MessageId
            : ids.Length == 1 ? ids[0]
            : StableId.Of(entries[0].FirstSeenAt, ids.Select(part => $"{part}"));
        return new Message(id, ids, entries);
    }

    private void EndHoldIfIdle()
    {
        if (!_queues.Values.Any(queue => queue.Messages.Exists(message => message.IsUnderWay)))
            _held?.TrySetResult();
    }

    private Queue QueueOf(string channel)
    {
        if (!_queues.TryGetValue(channel, out var queue))
            _queues[channel] = queue = new Queue();
        return queue;
    }
}
