using System.Net.WebSockets;
using System.Text;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>The life of one connection: subscribes, pings, and passes on what comes until the connection is of no more use.</summary>
internal sealed partial class FeedSession(
    FeedSocket socket, FeedPlan plan, FeedWatch watch, FeedState state, TimeProvider clock, ILogger<FeedSession> logger)
{
    private const int MostAsked = 2;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    /// <summary>The venue hangs up after a minute without a word from us.</summary>
    public static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(30);

    /// <summary>How long a pong or an acknowledgement may take.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a connection that follows a liquid coin may tell nothing: the venue tells of such a coin every few seconds.
    /// </summary>
    public static readonly TimeSpan DataTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How often the vault's components are looked up anew.</summary>
    public static readonly TimeSpan PlanEvery = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly HashSet<FeedSubscription> _acknowledged = [];
    private readonly HashSet<string> _saidOnce = [];
    private IReadOnlyList<FeedSubscription> _wanted = [];
    private DateTimeOffset? _pingedAt;
    private DateTimeOffset? _quietSince;
    private DateTimeOffset _askedAt;
    private int _asked;

    /// <summary>Runs until the connection ends; answers why.</summary>
    public async Task<string> RunAsync(IReadOnlyList<FeedSubscription> wanted, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            watch.Begin();
            Want(wanted);
            Task<string>[] all = [ReceiveAsync(ending.Token), KeepAsync(ending.Token), PlanAsync(ending.Token)];
            var ended = await Task.WhenAny(all);
            await ending.CancelAsync();
            await Task.WhenAny(Task.WhenAll(all)); // the others end in one way or another
            return await ended;
        }
        catch (Exception fault) when (fault is WebSocketException or IOException or InvalidOperationException)
        {
            return $"the connection broke: {fault.Message}";
        }
        // What is sent to a socket that was aborted meanwhile, by a machine that was paused, ends as if somebody had cancelled it.
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            return $"the connection broke in the middle of a message: {(fault.InnerException ?? fault).Message}";
        }
    }

    private async Task<string> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var message = await socket.ReceiveAsync(cancellationToken);
            if (message.Kind == FeedMessageKind.Closed)
                return "the venue closed the connection";
            if (message.Kind == FeedMessageKind.Text)
                Take(message.Text);
            else
                CountUnreadable(message.Kind == FeedMessageKind.Binary ? "a binary message" : "a message that is too large");
            state.CountFrame();
        }
    }

    private void Take(ReadOnlyMemory<byte> text)
    {
        try
        {
            var frame = FeedFrame.Read(text);
            if (UnreadablePart.Describe(frame.Unreadable) is { } unreadable)
                CountUnreadable(unreadable);
            if (frame.IsData)
                QuietSince = clock.GetUtcNow();
            switch (frame)
            {
                case FeedFrame.Pong:
                    lock (_lock)
                        _pingedAt = null;
                    break;
                case FeedFrame.Acknowledged { Method: "subscribe", Subscription: { } subscription }:
                    Acknowledge(subscription);
                    break;
                case FeedFrame.Refused refused:
                    state.CountRefusal();
                    SayOnce(refused.Text, LogRefused);
                    break;
            }

            watch.See(frame);
        }
        catch (Exception fault) when (HyperliquidJson.IsOfTheText(fault) || fault is ArgumentException or OverflowException)
        {
            var begin = Encoding.UTF8.GetString(text.Span[..Math.Min(text.Length, 80)]);
            CountUnreadable(SourceFaults.Clean($"{fault.Message} It begins: {begin}"));
        }
    }

    private void Acknowledge(FeedSubscription subscription)
    {
        lock (_lock)
        {
            if (subscription.Type == FeedSubscription.AssetContext)
                _quietSince ??= clock.GetUtcNow();
            if (!_acknowledged.Add(subscription) || _acknowledged.Count < _wanted.Count)
                return;
        }

        state.SetUp();
        LogSubscribed(_wanted.Count);
    }

    private void CountUnreadable(string what)
    {
        state.CountUnreadable();
        SayOnce("unreadable", _ => LogUnreadable(what));
    }

    private void SayOnce(string what, Action<string> say)
    {
        if (_saidOnce.Count < 100 && _saidOnce.Add(what))
            say(what);
    }

    private async Task<string> KeepAsync(CancellationToken cancellationToken)
    {
        await SubscribeAsync(_wanted, cancellationToken);
        var spokeAt = clock.GetUtcNow();
        while (true)
        {
            await Task.Delay(Step, clock, cancellationToken);
            var now = clock.GetUtcNow();
            if (PingedAt is { } pingedAt && now - pingedAt >= AnswerTimeout)
                return $"no pong within {AnswerTimeout.TotalSeconds:0} s";
            if (now - QuietSince >= DataTimeout && FollowsCoin)
                return $"no data within {DataTimeout.TotalSeconds:0} s";
            if (PingedAt is null && now - spokeAt >= PingEvery)
            {
                lock (_lock)
                    _pingedAt = now;
                spokeAt = now;
                await socket.SendAsync("""{"method":"ping"}""", cancellationToken);
            }

            if (Overdue(now) is not { Count: > 0 } missing)
                continue;
            if (missing.Count == _wanted.Count)
                return $"none of {missing.Count} subscriptions acknowledged within {AnswerTimeout.TotalSeconds:0} s";
            if (_asked < MostAsked)
            {
                await SubscribeAsync(missing, cancellationToken);
                continue;
            }

            LogMissing(missing.Count, _wanted.Count, string.Join(", ", missing.Take(5)));
            state.SetUp();
        }
    }

    // What is not acknowledged in time, each time that it should have been; asked for twice and no more.
    private List<FeedSubscription> Overdue(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_asked == MostAsked || now - _askedAt < AnswerTimeout)
                return [];
            (_askedAt, _asked) = (now, _asked + 1);
            return [.. _wanted.Except(_acknowledged)];
        }
    }

    // The vault may get new components while we are connected.
    private async Task<string> PlanAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(PlanEvery, clock, cancellationToken);
            try
            {
                var wanted = await plan.ReadAsync(cancellationToken);
                var (gone, added) = (_wanted.Except(wanted).ToList(), wanted.Except(_wanted).ToList());
                if (gone.Count + added.Count == 0)
                    continue;
                Want(wanted);
                foreach (var subscription in gone)
                    await socket.SendAsync(subscription.ToMessage("unsubscribe"), cancellationToken);
                await SubscribeAsync(added, cancellationToken);
            }
            catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
            {
                // What is subscribed to goes on; that the venue does not answer is said by the checks.
            }
        }
    }

    private void Want(IReadOnlyList<FeedSubscription> wanted)
    {
        lock (_lock)
        {
            _acknowledged.IntersectWith(wanted);
            (_wanted, _askedAt, _asked) = (wanted, clock.GetUtcNow(), 0);
        }
    }

    private async Task SubscribeAsync(IEnumerable<FeedSubscription> subscriptions, CancellationToken cancellationToken)
    {
        foreach (var subscription in subscriptions)
            await socket.SendAsync(subscription.ToMessage(), cancellationToken);
    }

    // Since when the venue has sent no data; null before the first data and the first acknowledgement of a coin.
    private DateTimeOffset? QuietSince
    {
        get
        {
            lock (_lock)
                return _quietSince;
        }

        set
        {
            lock (_lock)
                _quietSince = value;
        }
    }

    // Accounts may well be quiet for hours, a liquid coin is not.
    private bool FollowsCoin
    {
        get
        {
            lock (_lock)
                return _acknowledged.Any(subscription => subscription.Type == FeedSubscription.AssetContext);
        }
    }

    private DateTimeOffset? PingedAt
    {
        get
        {
            lock (_lock)
                return _pingedAt;
        }
    }

    [LoggerMessage(LogLevel.Information, "live feed: connected, {Subscriptions} subscriptions")]
    private partial void LogSubscribed(int subscriptions);

    [LoggerMessage(
        LogLevel.Warning, "live feed: {Missing} of {Wanted} subscriptions are not acknowledged and are left to polling: {Which}")]
    private partial void LogMissing(int missing, int wanted, string which);

    [LoggerMessage(LogLevel.Warning, "live feed: the venue refuses: {Text}")]
    private partial void LogRefused(string text);

    [LoggerMessage(LogLevel.Warning, "live feed: a message cannot be read, and more of this connection will be counted only: {What}")]
    private partial void LogUnreadable(string what);
}
