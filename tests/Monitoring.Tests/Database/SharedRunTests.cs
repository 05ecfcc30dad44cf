using Monitoring.Data.Database;

namespace Monitoring.Tests.Database;

/// <summary>Who asks while a run is under way shares the next one with all others who do.</summary>
public sealed class SharedRunTests
{
    private readonly List<TaskCompletionSource<int>> _runs = [];
    private readonly SharedRun<int> _shared;

    public SharedRunTests() => _shared = new SharedRun<int>(_ =>
    {
        lock (_runs)
        {
            _runs.Add(new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
            return _runs[^1].Task;
        }
    });

    private async Task<TaskCompletionSource<int>> RunAsync(int number)
    {
        while (true)
        {
            lock (_runs)
                if (_runs.Count > number)
                    return _runs[number];
            await Task.Yield();
        }
    }

    [Test]
    public async Task All_who_ask_while_one_is_under_way_share_the_next()
    {
        var first = _shared.JoinAsync(default);
        var others = Enumerable.Range(0, 60).Select(_ => _shared.JoinAsync(default)).ToList();
        (await RunAsync(0)).SetResult(1);
        Assert.That(await first, Is.EqualTo(1));
        Assert.That(others.TrueForAll(other => !other.IsCompleted), Is.True, "what the first has read is older than their questions");
        (await RunAsync(1)).SetResult(2);
        Assert.That(await Task.WhenAll(others), Is.All.EqualTo(2));
        Assert.That(_runs, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Fault_is_everybodys_and_the_next_run_is_a_new_one()
    {
        var first = _shared.JoinAsync(default);
        var other = _shared.JoinAsync(default);
        (await RunAsync(0)).SetException(new TimeoutException("no answer"));
        await Assert.ThatAsync(() => first, Throws.InstanceOf<TimeoutException>());
        (await RunAsync(1)).SetException(new TimeoutException("no answer"));
        await Assert.ThatAsync(() => other, Throws.InstanceOf<TimeoutException>());
        var later = _shared.JoinAsync(default);
        (await RunAsync(2)).SetResult(3);
        Assert.That(await later, Is.EqualTo(3));
    }

    [Test]
    public async Task Who_leaves_takes_nothing_from_the_others()
    {
        using var leaving = new CancellationTokenSource();
        var first = _shared.JoinAsync(default);
        var left = _shared.JoinAsync(leaving.Token);
        var staying = _shared.JoinAsync(default);
        await leaving.CancelAsync();
        await Assert.ThatAsync(() => left, Throws.InstanceOf<OperationCanceledException>());
        (await RunAsync(0)).SetResult(1);
        (await RunAsync(1)).SetResult(2);
        Assert.That((await first, await staying), Is.EqualTo((1, 2)));
    }
}
