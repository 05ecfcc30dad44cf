using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// A token bucket for the venue's limit of weight a minute (1200): a sixth of it at once and the rest evenly after
/// that, so that no window of a minute can hold more. Requests are served in the order in which they came; but small
/// ones, such as the inventory's, do not wait behind large ones, which reserve whole pages.
/// </summary>
internal sealed class WeightBudget(TimeProvider clock, int perMinute = WeightBudget.VenueLimit) : IDisposable
{
    /// <summary>What the venue lets an address spend in a minute.</summary>
    public const int VenueLimit = 1200;

    private readonly SemaphoreSlim _large = new(1);
    private readonly SemaphoreSlim _small = new(1);
    private readonly Lock _lock = new();
    private readonly double _capacity = perMinute / 6.0;
    private readonly double _smallAtMost = perMinute / 60.0;
    private readonly double _perSecond = perMinute * 5 / 360.0;
    private readonly Queue<(DateTimeOffset At, int Weight)> _spent = []; // of the last minute
    private double _tokens = perMinute / 6.0;
    private DateTimeOffset _filledAt = clock.GetUtcNow();
    private DateTimeOffset _pausedUntil = DateTimeOffset.MinValue;
    private DateTimeOffset _waitsUntil = DateTimeOffset.MinValue;

    /// <summary>When the wait for weight ends that is under way, or ended that was the last.</summary>
    public DateTimeOffset WaitsUntil
    {
        get
        {
            lock (_lock)
                return _waitsUntil;
        }
    }

    /// <summary>Waits until <paramref name="weight"/> may be spent, and spends it.</summary>
    /// <exception cref="WaitCutOffException">It was cancelled while it waited.</exception>
    public async Task SpendAsync(int weight, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        try
        {
            await WaitAndSpendAsync(weight, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            throw new WaitCutOffException(
                $"waited {clock.GetElapsedTime(began).TotalSeconds:0.0} s for the venue's request budget, {DescribeUse()}",
                cancellationToken);
        }
    }

    private async Task WaitAndSpendAsync(int weight, CancellationToken cancellationToken)
    {
        var turn = weight <= _smallAtMost ? _small : _large;
        await turn.WaitAsync(cancellationToken);
        try
        {
            while (TrySpend(weight) is { } wait)
            {
                var delay = Task.Delay(wait, clock, cancellationToken);
                lock (_lock)
                    _waitsUntil = clock.GetUtcNow() + wait is var end && end > _waitsUntil ? end : _waitsUntil;
                await delay;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Gives back what was spent ahead of an answer and not needed by it.</summary>
    public void Return(int weight)
    {
        lock (_lock)
        {
            if (clock.GetUtcNow() < _pausedUntil)
                return;
            _tokens = Math.Min(_capacity, _tokens + weight);
            _spent.Enqueue((clock.GetUtcNow(), -weight));
        }
    }

    /// <summary>The venue refused us: nothing is sent for so long, and the bucket starts empty afterwards.</summary>
    public void Pause(TimeSpan wait)
    {
        lock (_lock)
        {
            var until = clock.GetUtcNow() + wait;
            if (until <= _pausedUntil)
                return;
            _pausedUntil = until;
            _tokens = 0;
            _filledAt = until;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _large.Dispose();
        _small.Dispose();
    }

    private TimeSpan? TrySpend(int weight)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            if (now < _pausedUntil)
                return _pausedUntil - now;

            // A clock that was set back must not take tokens away.
            _tokens = Math.Min(_capacity, _tokens + (Math.Max(0, (now - _filledAt).TotalSeconds) * _perSecond));
            _filledAt = now;
            var needed = Math.Min(weight, _capacity);
            if (_tokens < needed)
                return TimeSpan.FromSeconds(((needed - _tokens) / _perSecond) + 0.001);
            _tokens -= needed;
            Forget(now);
            _spent.Enqueue((now, weight));
            return null;
        }
    }

    private string DescribeUse()
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            Forget(now);
            return now < _pausedUntil ? $"which rests until {_pausedUntil:HH:mm:ss} because the venue refused for rate"
                : $"{Math.Max(0, _spent.Sum(one => one.Weight))} of {perMinute} used in the last minute";
        }
    }

    private void Forget(DateTimeOffset now)
    {
        while (_spent.TryPeek(out var oldest) && now - oldest.At > TimeSpan.FromMinutes(1))
            _spent.Dequeue();
    }
}
