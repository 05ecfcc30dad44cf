using Monitoring.Worker.Checks;
using Npgsql;

namespace Monitoring.Tests.Checks;

/// <summary>What checks read of the database: they wait for it once, together, and go on without it.</summary>
public sealed class PastReadsTests
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);
    private readonly PastReads _reads = new();
    private readonly List<string> _notLoaded = [];
    private readonly TaskCompletionSource<int> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _begun;
    private int _loaded;

    private HistoryLoader Loader() => new(new object(), _reads);

    private async Task<TimeSpan> LoadAsync(HistoryLoader loader)
    {
        var began = TimeProvider.System.GetTimestamp();
        await loader.LoadAsync(async _ =>
        {
            Interlocked.Increment(ref _begun);
            var read = await _answer.Task;
            return () => _loaded += read;
        }, _notLoaded.Add, default);
        return TimeProvider.System.GetElapsedTime(began);
    }

    [Test]
    public async Task Database_that_hangs_costs_all_checks_one_wait_together_and_no_read_is_begun_twice()
    {
        var (one, other) = (Loader(), Loader());
        Assert.That(await LoadAsync(one), Is.InRange(PastReads.Patience - TimeSpan.FromMilliseconds(50), PastReads.Patience + AtOnce));
        for (var check = 0; check < 3; check++)
            Assert.That(await LoadAsync(one) + await LoadAsync(other), Is.LessThan(AtOnce));
        Assert.That((_begun, _loaded), Is.EqualTo((1, 0)));
        Assert.That(_notLoaded, Has.Count.EqualTo(7).And.All.Not.Empty);
        Assert.That(() => _reads.ReadAsync(_ => Task.FromResult(1), default), Throws.InstanceOf<TimeoutException>());

        _answer.SetResult(1);
        await TestWait.UntilAsync(() => LoadAsync(one).GetAwaiter().GetResult() < AtOnce && _loaded == 1,
            "what comes late is taken in by a later check");
        await LoadAsync(other);
        await LoadAsync(one);
        Assert.That((_begun, _loaded), Is.EqualTo((2, 2)), "each once");
    }

    [Test]
    public async Task Read_that_fails_is_tried_again_at_the_next_check()
    {
        var loader = Loader();
        var fails = true;
        Task<Action> Read(CancellationToken cancellationToken) =>
            fails ? throw new NpgsqlException("away") : Task.FromResult<Action>(() => _loaded++);
        await loader.LoadAsync(Read, _notLoaded.Add, default);
        await loader.LoadAsync(Read, _notLoaded.Add, default);
        Assert.That(_notLoaded, Is.EqualTo(new[] { "away", "away" }));
        fails = false;
        await loader.LoadAsync(Read, _notLoaded.Add, default);
        await loader.LoadAsync(Read, _notLoaded.Add, default);
        Assert.That(_loaded, Is.EqualTo(1));
    }
}
