using Microsoft.Extensions.Hosting.Internal;
using Monitoring.Data.Checks;
using Monitoring.Data.Rules;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Checks;

/// <summary>Checks between grid times: how many calls make a check, when, and beside which others.</summary>
public sealed class TriggeredChecksTests
{
    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(5);
    private readonly ManualClock _clock = new(ManualClock.Noon.AddSeconds(1));
    private readonly FakeMonitor _monitor = new();
    private readonly FakeRecorder _recorder = new();
    private readonly TestLogs _logs = new();
    private MonitorSchedule _schedule = null!;
    private StopSignal _stop = null!;
    private CheckRunner _runner = null!;
    private TriggeredChecks _checks = null!;

    [SetUp]
    public async Task Start()
    {
        _schedule = new MonitorSchedule("m", TimeSpan.FromSeconds(60)) { TriggerSpacing = Spacing };
        _stop = new StopSignal(new ApplicationLifetime(_logs.For<ApplicationLifetime>()), _clock);
        _runner = new CheckRunner(_ => _monitor, _recorder, new RuleCatalog([]), new SessionStatistics(_clock), new WorkerIdentity("test"),
            _clock, _logs.For<CheckRunner>());
        _checks = new TriggeredChecks([_schedule, new MonitorSchedule("fast", Spacing) { TriggerSpacing = Spacing },
            new MonitorSchedule("never", TimeSpan.FromHours(1))],
            _runner, _stop, new Supervisor(_clock, _logs.For<Supervisor>()), _clock);
        await _checks.StartAsync(default);
    }

    [TearDown]
    public async Task Stop()
    {
        _monitor.Gate.TrySetResult();
        await _checks.StopAsync(default);
        _checks.Dispose();
        _stop.Dispose();
    }

    private static Task UntilAsync(Func<bool> isSo, string what) => TestWait.UntilAsync(isSo, what);

    private Task<CheckResult> GridAsync(int second) =>
        _runner.RunAsync(_schedule, ManualClock.Noon.AddSeconds(second), CheckTrigger.Grid, default);

    [Test]
    public async Task Many_calls_make_one_check_at_once_and_one_after_the_spacing()
    {
        _monitor.Hold();
        _checks.Request("m");
        await UntilAsync(() => _monitor.Begun == 1, "the first check");
        for (var i = 0; i < 1000; i++)
            _checks.Request("m");
        _monitor.Gate.SetResult();
        await UntilAsync(() => _recorder.Runs.Count == 1 && _clock.Waiting > 0, "it ends and the pause begins");
        _clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.That(_monitor.Begun, Is.EqualTo(1));
        await AdvanceUntilAsync(() => _recorder.Runs.Count == 2);
        Assert.That(_recorder.Runs.Select(run => run.Trigger), Is.All.EqualTo(CheckTrigger.Feed));
        Assert.That(_recorder.Runs[0].ScheduledAt, Is.EqualTo(ManualClock.Noon.AddSeconds(1)));
        Assert.That(_recorder.Runs[1].ScheduledAt - _recorder.Runs[0].ScheduledAt, Is.GreaterThanOrEqualTo(Spacing));
        Assert.That(_monitor.MostAtOnce, Is.EqualTo(1));
    }

    [Test]
    public async Task Monitor_that_is_due_as_often_anyway_and_one_that_is_unknown_are_not_triggered()
    {
        _checks.Request("fast");
        _checks.Request("never");
        _checks.Request("nobody");
        _checks.Request("m");
        await UntilAsync(() => _recorder.Runs.Count == 1, "the one that is");
        Assert.That(_recorder.Runs.Single().Monitor, Is.EqualTo("m"));
    }

    [Test]
    public async Task Grid_check_under_way_is_waited_for_and_does_not_serve_what_came_after_its_begin()
    {
        _monitor.Hold();
        var grid = GridAsync(0);
        await UntilAsync(() => _monitor.Begun == 1, "the grid's check");
        _clock.Advance(TimeSpan.FromSeconds(1));
        _checks.Request("m");
        _monitor.Gate.SetResult();
        await grid;
        await UntilAsync(() => _recorder.Runs.Count == 2, "the triggered one follows");
        Assert.That((_recorder.Runs[1].Trigger, _monitor.MostAtOnce), Is.EqualTo((CheckTrigger.Feed, 1)));
    }

    [TestCase(true, 2)]
    [TestCase(false, 3)]
    public async Task Call_is_served_by_a_grid_check_that_began_after_it_if_that_succeeds(bool succeeds, int runs)
    {
        _checks.Request("m");
        await UntilAsync(() => _recorder.Runs.Count == 1 && _clock.Waiting > 0, "the pause begins");
        _checks.Request("m");
        _clock.Advance(TimeSpan.FromSeconds(1));
        _monitor.Fails = !succeeds;
        await GridAsync(0);
        _monitor.Fails = false;
        await AdvanceUntilAsync(() => _clock.GetUtcNow() > ManualClock.Noon.AddSeconds(20) && _recorder.Runs.Count >= runs);
        Assert.That(_recorder.Runs, Has.Count.EqualTo(runs));
    }

    [Test]
    public async Task Second_of_the_grid_is_never_taken_from_it()
    {
        _clock.Advance(TimeSpan.FromSeconds(59.5));
        _checks.Request("m");
        await AdvanceUntilAsync(() => _recorder.Runs.Count == 1);
        Assert.That(_recorder.Runs.Single().ScheduledAt, Is.GreaterThan(ManualClock.Noon.AddSeconds(60)));
    }

    [Test]
    public async Task Failed_check_and_a_recorder_that_throws_end_nothing()
    {
        _monitor.Fails = true;
        _checks.Request("m");
        await UntilAsync(() => _recorder.Runs.Count == 1, "the failure");
        Assert.That(_recorder.Runs.Single().Outcome, Is.EqualTo(CheckOutcome.Failed));
        _recorder.Throws = true;
        _checks.Request("m");
        await AdvanceUntilAsync(() => _logs.Lines.Any(line => line.Text.StartsWith("triggered checks of m: a round failed, 1 in a row")));
        _recorder.Throws = false;
        _checks.Request("m");
        await AdvanceUntilAsync(() => _recorder.Runs.Count == 2);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Failed_check_is_tried_again_after_the_spacing_until_one_succeeds(bool byTheGrid)
    {
        _monitor.Fails = true;
        _checks.Request("m");
        await AdvanceUntilAsync(() => _recorder.Runs.Count == 3 && _clock.Waiting > 0);
        _monitor.Fails = false;
        if (byTheGrid)
            await GridAsync(0);
        await AdvanceUntilAsync(() => _recorder.Runs.Count == 4);
        var end = _clock.GetUtcNow() + (3 * Spacing);
        await AdvanceUntilAsync(() => _clock.GetUtcNow() > end && _clock.Waiting == 0);
        Assert.That(_recorder.Runs.Select(run => (run.Trigger, run.Outcome)), Is.EqualTo(new[]
        {
            (CheckTrigger.Feed, CheckOutcome.Failed), (CheckTrigger.Feed, CheckOutcome.Failed), (CheckTrigger.Feed, CheckOutcome.Failed),
            (byTheGrid ? CheckTrigger.Grid : CheckTrigger.Feed, CheckOutcome.Succeeded),
        }));
        Assert.That(_recorder.Runs.Take(3).Zip(_recorder.Runs.Take(3).Skip(1), (run, next) => next.StartedAt - run.FinishedAt),
            Is.All.GreaterThanOrEqualTo(Spacing));
    }

    [Test]
    public async Task Causes_reach_the_check_and_stay_until_one_has_succeeded()
    {
        _monitor.Fails = true;
        _checks.Request("m", Account("a"), Account("b"), Account("a"));
        await UntilAsync(() => _recorder.Runs.Count == 1 && _clock.Waiting > 0, "the failure");
        _checks.Request("m", Account("c"));
        _monitor.Fails = false;
        await AdvanceUntilAsync(() => _recorder.Runs.Count == 2 && _clock.Waiting > 0);
        _clock.Advance(TimeSpan.FromSeconds(1));
        _checks.Request("m", Account("d"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        await GridAsync(0);
        _checks.Request("m", Account("e"));
        await AdvanceUntilAsync(() => _recorder.Runs.Count == 4);
        Assert.That(_monitor.Causes, Is.EqualTo(new[] { "a b", "a b c", "", "e" }), "what a grid's check has seen is not asked for again");
    }

    private static CheckCause Account(string id) => new("account", id);

    private Task AdvanceUntilAsync(Func<bool> isSo) => UntilAsync(() =>
    {
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        return isSo();
    }, "the clock has gone on");

    private sealed class FakeMonitor : IMonitor
    {
        private int _begun;
        private int _now;

        public bool Fails { get; set; }

        public TaskCompletionSource Gate { get; private set; } = Opened();

        public int Begun => _begun;

        public int MostAtOnce { get; private set; }

        public List<string> Causes { get; } = [];

        public void Hold() => Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<CheckReport> CheckAsync(CheckContext context)
        {
            Causes.Add(string.Join(' ', context.Causes.Select(cause => cause.Id).Order()));
            MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _now));
            Interlocked.Increment(ref _begun);
            await Gate.Task;
            Interlocked.Decrement(ref _now);
            return Fails ? throw new MissingDataException("nothing") : new CheckReport([], [], []);
        }

        private static TaskCompletionSource Opened()
        {
            var gate = new TaskCompletionSource();
            gate.SetResult();
            return gate;
        }
    }

    private sealed class FakeRecorder : IRecorder
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<CheckRun> _runs = [];

        public bool Throws { get; set; }

        public IReadOnlyList<CheckRun> Runs => [.. _runs];

        public void Record(CheckResult result)
        {
            if (Throws)
                throw new InvalidOperationException("thrown on purpose");
            _runs.Enqueue(result.Run);
        }
    }
}
