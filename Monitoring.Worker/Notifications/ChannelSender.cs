using Monitoring.Data.Database;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// Empties the outbox through one channel. Each channel has a sender of its own, and a sender several attempts under way, so that neither a
/// channel nor a message that hangs holds up the others.
/// </summary>
internal sealed partial class ChannelSender(
    INotificationChannel channel, IOutbox outbox, NotificationOptions options, TimeProvider clock, ILogger<ChannelSender> logger)
    : IDisposable
{
    /// <summary>So many attempts are under way at most.</summary>
    public const int Width = 8;

    /// <summary>Looks at least this often, for what is due by the clock or was not announced.</summary>
    public static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AttemptDeadline = TimeSpan.FromSeconds(60); // a channel has a shorter one of its own
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);

    private readonly Dictionary<Guid, Task> _inFlight = []; // the loop's alone
    private readonly CancellationTokenSource _attempts = new(Timeout.InfiniteTimeSpan, clock);
    private long? _renewedAt;
    private long _pausedUntil = long.MinValue; // a timestamp; here because the outbox may become another one before it is over
    private volatile TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _outboxAway;

    /// <summary>The channel that it sends to.</summary>
    public string Channel => channel.Name;

    /// <summary>Says that there may be something to send.</summary>
    public void Wake() =>
        Interlocked.Exchange(ref _wake, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    /// <summary>Looks once and sends what is due; ends when there may be more.</summary>
    public async Task<TimeSpan?> RunRoundAsync(CancellationToken stopping)
    {
        var woken = _wake.Task; // before the look, so that nothing falls between
        foreach (var (id, attempt) in _inFlight.Where(attempt => attempt.Value.IsCompleted).ToList())
        {
            _inFlight.Remove(id);
            await attempt; // what it threw is this round's fault
        }

        _renewedAt ??= clock.GetTimestamp();
        if (_inFlight.Count > 0 && clock.GetElapsedTime(_renewedAt.Value) >= RenewEvery)
        {
            await TryAsync(() => outbox.RenewAsync(_inFlight.Keys, stopping), stopping);
            _renewedAt = clock.GetTimestamp();
        }

        var isPaused = clock.GetTimestamp() < Volatile.Read(ref _pausedUntil);
        if (isPaused || _inFlight.Count >= Width || !await TryStartAsync(_attempts.Token, stopping))
            await Task.WhenAny(woken, Task.Delay(PollEvery, clock, stopping));
        return TimeSpan.Zero;
    }

    /// <summary>
    /// To be called after the last round: attempts under way may end within a few seconds, the others are given back.
    /// </summary>
    internal Task FinishAsync()
    {
        _attempts.CancelAfter(Grace);
        return Task.WhenAll(_inFlight.Values);
    }

    /// <inheritdoc/>
    public void Dispose() => _attempts.Dispose();

    private async Task<bool> TryStartAsync(CancellationToken attempts, CancellationToken stopping)
    {
        IReadOnlyList<ClaimedMessage> claimed = [];
        await TryAsync(
            async () => claimed = await outbox.ClaimAsync(channel.Name, Width - _inFlight.Count, _inFlight.Keys, stopping), stopping);
        foreach (var message in claimed)
            _inFlight[message.Message.NotificationId] = DeliverAsync(message, attempts);
        return claimed.Count > 0;
    }

    private async Task DeliverAsync(ClaimedMessage claimed, CancellationToken attempts)
    {
        var verdict = await AttemptAsync(claimed, attempts);
        // What was sent must be marked, or it would be sent again: for as long as this process lives.
        var id = claimed.Message.NotificationId;
        while (!await TryAsync(() => outbox.MarkAsync(channel.Name, id, verdict, CancellationToken.None), attempts, always: true)
            && !attempts.IsCancellationRequested)
            await Task.WhenAny(Task.Delay(PollEvery, clock, attempts));
        Wake();
    }

    // Null: it was stopped before its end.
    private async Task<DeliveryVerdict?> AttemptAsync(ClaimedMessage claimed, CancellationToken attempts)
    {
        using var deadline = new CancellationTokenSource(AttemptDeadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, attempts);
        DeliveryOutcome outcome;
        try
        {
            outcome = await channel.SendAsync(claimed.Message.Cleaned(), either.Token);
        }
        catch (OperationCanceledException) when (attempts.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception fault) // a defect of the channel must not end the sender
        {
            outcome = new DeliveryOutcome.Retry(fault is OperationCanceledException
                ? $"no answer within {AttemptDeadline.TotalSeconds:0} s"
                : $"{fault.GetType().Name}: {fault.Message}");
        }

        var now = clock.GetUtcNow();
        var verdict = DeliveryRules.Judge(outcome, claimed, now, options.Deadline, Random.Shared.NextDouble());
        if (verdict is DeliveryVerdict.Again { PausedUntil: { } until })
            Volatile.Write(ref _pausedUntil, clock.GetTimestamp() + (long)((until - now).TotalSeconds * clock.TimestampFrequency));
        Log(claimed, verdict);
        return verdict;
    }

    private void Log(ClaimedMessage claimed, DeliveryVerdict verdict)
    {
        var (id, changes) = (claimed.Message.NotificationId, claimed.Message.Entries.Count);
        if (verdict is DeliveryVerdict.Delivered)
            LogDelivered(channel.Name, id, changes);
        else if (verdict is DeliveryVerdict.Again again)
            LogAgain(claimed.Attempts == 1 ? LogLevel.Warning : LogLevel.Debug, channel.Name, id, claimed.Attempts, again.Error, again.At);
        else if (verdict is DeliveryVerdict.Dead dead)
            LogDead(channel.Name, id, changes, dead.Error);
    }

    // Answers false when the outbox is away; said once, and again when it is back. Always: also for what is no fault of the database.
    private async Task<bool> TryAsync(Func<Task> act, CancellationToken stopping, bool always = false)
    {
        try
        {
            await act();
            if (_outboxAway)
                LogBack(channel.Name);
            _outboxAway = false;
            return true;
        }
        catch (Exception fault)
            when (always || DatabaseFaults.Covers(fault) || (fault is OperationCanceledException && stopping.IsCancellationRequested))
        {
            if (!_outboxAway && !stopping.IsCancellationRequested)
            {
                LogAway(channel.Name, fault.Message);
                _outboxAway = true;
            }

            return false;
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Channel}: message {MessageId} with {Changes} changes is delivered")]
    private partial void LogDelivered(string channel, Guid messageId, int changes);

    [LoggerMessage("{Channel}: attempt {Attempt} to send message {MessageId} failed: {Error}. Trying again at {At:HH:mm:ss}")]
    private partial void LogAgain(LogLevel level, string channel, Guid messageId, int attempt, string error, DateTimeOffset at);

    [LoggerMessage(LogLevel.Error,
        "{Channel}: message {MessageId} with {Changes} changes is not delivered and is a dead letter now: {Error}")]
    private partial void LogDead(string channel, Guid messageId, int changes, string error);

    [LoggerMessage(LogLevel.Warning, "{Channel}: the outbox cannot be read or marked: {Error}. Trying again every second")]
    private partial void LogAway(string channel, string error);

    [LoggerMessage(LogLevel.Information, "{Channel}: the outbox can be read again")]
    private partial void LogBack(string channel);
}
