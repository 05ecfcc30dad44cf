using Microsoft.Extensions.Time.Testing;

namespace Monitoring.Tests;

/// <summary>A clock that stands still until a test moves it, and counts who waits for it.</summary>
internal sealed class ManualClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private int _waiting;

    /// <summary>A grid time of every interval in use.</summary>
    public static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    /// <summary>How many timers wait to fire.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Moves on, and fires what is due; or sets the clock back, which fires nothing.</summary>
    public new void Advance(TimeSpan by)
    {
        if (by < TimeSpan.Zero)
            AdjustTime(GetUtcNow() + by);
        else
            base.Advance(by);
    }

    /// <summary>Moves on, whenever somebody waits for the clock, until the task is done.</summary>
    public async Task AdvanceUntilDoneAsync(Task task, TimeSpan step)
    {
        while (!task.IsCompleted)
        {
            if (Waiting > 0)
                Advance(step);
            await Task.Yield();
        }

        await task;
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new CountedTimer(this);
        timer.Inner = base.CreateTimer(_ => timer.Fire(callback, state), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class CountedTimer(ManualClock clock) : ITimer
    {
        private int _isWaiting;

        public ITimer Inner { get; set; } = null!;

        public void Fire(TimerCallback callback, object? state)
        {
            SetWaiting(0);
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            SetWaiting(dueTime == Timeout.InfiniteTimeSpan ? 0 : 1);
            return Inner.Change(dueTime, period);
        }

        public void Dispose()
        {
            SetWaiting(0);
            Inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            SetWaiting(0);
            return Inner.DisposeAsync();
        }

        private void SetWaiting(int value) => Interlocked.Add(ref clock._waiting, value - Interlocked.Exchange(ref _isWaiting, value));
    }
}
