using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Tests.Venues;

public sealed class WeightBudgetTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);

    [Test]
    public async Task No_window_of_a_minute_holds_more_than_1200()
    {
        using var budget = new WeightBudget(_clock);
        var spent = new List<(DateTimeOffset At, int Weight)>();
        for (var i = 0; i < 200; i++)
        {
            var weight = i % 3 == 0 ? 2 : 20;
            await _clock.AdvanceUntilDoneAsync(budget.SpendAsync(weight, default), TimeSpan.FromMilliseconds(50));
            spent.Add((_clock.GetUtcNow(), weight));
        }

        var worst = spent.Max(first => spent.Where(s => s.At >= first.At && s.At < first.At.AddMinutes(1)).Sum(s => s.Weight));
        Assert.That(worst, Is.InRange(1000, 1200));
    }

    [Test]
    public async Task Small_request_does_not_wait_behind_a_large_one_and_does_not_keep_it_from_its_turn()
    {
        using var budget = new WeightBudget(_clock);
        await budget.SpendAsync(200, default);
        var large = budget.SpendAsync(120, default);
        for (var i = 0; i < 3; i++)
        {
            var small = budget.SpendAsync(2, default);
            await _clock.AdvanceUntilDoneAsync(small, TimeSpan.FromMilliseconds(50));
            Assert.That(large.IsCompleted, Is.False);
        }

        Assert.That(_clock.GetUtcNow() - ManualClock.Noon, Is.LessThan(TimeSpan.FromSeconds(1)));
        await _clock.AdvanceUntilDoneAsync(large, TimeSpan.FromMilliseconds(50));
        Assert.That(_clock.GetUtcNow() - ManualClock.Noon, Is.InRange(TimeSpan.FromSeconds(7.5), TimeSpan.FromSeconds(8.5)));
    }

    [Test]
    public async Task Wait_that_is_cut_off_says_how_long_it_was_and_what_was_used()
    {
        using var budget = new WeightBudget(_clock);
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(3), _clock);
        await budget.SpendAsync(200, default);
        budget.Return(10);
        var waiting = budget.SpendAsync(120, end.Token);
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.That(Assert.CatchAsync<WaitCutOffException>(() => waiting)!.Message,
            Is.EqualTo("waited 3.0 s for the venue's request budget, 190 of 1200 used in the last minute"));
        budget.Pause(TimeSpan.FromSeconds(30));
        Assert.That(Assert.CatchAsync<WaitCutOffException>(() => budget.SpendAsync(2, end.Token))!.Message,
            Does.EndWith("which rests until 12:00:33 because the venue refused for rate"));
    }

    [Test]
    public async Task Refusal_stops_everything_for_as_long_as_the_venue_said()
    {
        using var budget = new WeightBudget(_clock);
        budget.Pause(TimeSpan.FromSeconds(7));
        var waiting = budget.SpendAsync(2, default);
        _clock.Advance(TimeSpan.FromSeconds(6.99));
        Assert.That(waiting.IsCompleted, Is.False);
        await _clock.AdvanceUntilDoneAsync(waiting, TimeSpan.FromMilliseconds(10));
        Assert.That(_clock.GetUtcNow() - ManualClock.Noon, Is.InRange(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7.5)));
    }

    [Test]
    public void Caller_that_gives_up_holds_up_nobody()
    {
        using var budget = new WeightBudget(_clock);
        using var given = new CancellationTokenSource();
        budget.Pause(TimeSpan.FromMinutes(1));
        var waiting = budget.SpendAsync(2, given.Token);
        given.Cancel();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.That(budget.SpendAsync(2, default).IsCompletedSuccessfully, Is.True);
    }
}
