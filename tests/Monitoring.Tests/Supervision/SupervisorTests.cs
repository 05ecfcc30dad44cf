using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Watching;
using Npgsql;

namespace Monitoring.Tests.Supervision;

/// <summary>The loops of both programs: what a round throws ends that round; a program that must end says so by its exit code.</summary>
public sealed class SupervisorTests
{
    private static readonly Exception[] Thrown =
    [
        new OperationCanceledException(), new TaskCanceledException(), new InvalidOperationException("x"), new NpgsqlException("x"),
        new ObjectDisposedException("x"), new TimeoutException("x"),
    ];

    private readonly ManualClock _clock = new(ManualClock.Noon);
    private readonly TestLogs _logs = new();

    private Supervisor Create(Func<Exception, bool>? isExcused = null) => new(_clock, _logs.For<Supervisor>(), isExcused);

    private static string[] Loops(IReadOnlyList<FailingLoop> failing) =>
        [.. LoopRules.Evaluate(failing, new WorkerIdentity("h")).Select(finding => finding.Fingerprint)];

    [Test]
    public async Task Whatever_a_round_throws_it_is_tried_again_after_a_pause_that_grows()
    {
        var (supervisor, begun) = (Create(), new List<DateTimeOffset>());
        var running = supervisor.RunAsync("loop", _ =>
        {
            begun.Add(_clock.GetUtcNow());
            return begun.Count <= Thrown.Length ? throw Thrown[begun.Count - 1] : Task.FromResult<TimeSpan?>(null);
        }, default);
        await _clock.AdvanceUntilDoneAsync(running, TimeSpan.FromSeconds(1));
        Assert.That(begun.Zip(begun.Skip(1), (earlier, later) => (later - earlier).TotalSeconds), Is.EqualTo(new[] { 1, 2, 4, 8, 10, 10 }));
        Assert.That((supervisor.Failed["loop"], supervisor.Failing.Count, supervisor.ToString()),
            Is.EqualTo((6L, 0, "failed rounds: loop 6")));
        Assert.That(_logs.Lines.Where(line => line.Level == LogLevel.Error).Select(line => line.Text.Split(" by now")[0]),
            Is.EqualTo(new[] { 1, 2, 4 }.Select(count => $"loop: a round failed, {count} in a row")), "said now and then, not each time");
        Assert.That(_logs.Lines[^1].Text, Is.EqualTo("loop works again; 6 rounds had failed"));
    }

    [Test]
    public async Task Stop_ends_it_whatever_the_round_throws_then()
    {
        using var stop = new CancellationTokenSource();
        var supervisor = Create();
        await supervisor.RunAsync("loop", _ =>
        {
            stop.Cancel();
            throw new InvalidOperationException("in the middle of a stop");
        }, stop.Token);
        Assert.That((supervisor.Failed["loop"], _logs.Lines.Count), Is.EqualTo((0L, 0)));
    }

    [Test]
    public async Task Loop_that_fails_for_a_minute_is_an_event_until_a_round_succeeds()
    {
        using var stop = new CancellationTokenSource();
        var (supervisor, fails) = (Create(), true);
        var running = supervisor.RunAsync("loop",
            _ => fails ? throw new InvalidOperationException("broken") : Task.FromResult<TimeSpan?>(TimeSpan.FromSeconds(1)), stop.Token);
        await AdvanceAsync(59);
        Assert.That(Loops(supervisor.Failing), Is.Empty);
        await AdvanceAsync(11);
        Assert.That(Loops(supervisor.Failing), Is.EqualTo(new[] { "worker.failing:h:loop" }));
        Assert.That(LoopRules.Evaluate(supervisor.Failing, new WorkerIdentity("h")).Single().Description,
            Does.EndWith("The newest fault: InvalidOperationException: broken"));
        fails = false;
        await AdvanceAsync(11);
        Assert.That(supervisor.Failing, Is.Empty);
        await stop.CancelAsync();
        await running;
    }

    [Test]
    public async Task What_somebody_else_reports_is_no_event_however_long_it_lasts()
    {
        using var stop = new CancellationTokenSource();
        var supervisor = Create(fault => fault is NpgsqlException);
        var running = supervisor.RunAsync("loop", _ => throw new NpgsqlException("away"), stop.Token);
        await AdvanceAsync(300);
        Assert.That((supervisor.Failing.Count, supervisor.Failed["loop"] > 20), Is.EqualTo((0, true)));
        Assert.That(_logs.Lines.Where(line => line.Level >= LogLevel.Information).Select(line => line.Text),
            Is.EqualTo(new[] { "loop waits, it is tried again in 1 s: away" }));
        await stop.CancelAsync();
        await running;
    }

    [Test]
    public async Task Round_that_went_on_for_a_minute_was_no_failure_before_its_end()
    {
        using var stop = new CancellationTokenSource();
        var supervisor = Create();
        var running = supervisor.RunAsync("loop", async token =>
        {
            await Task.Delay(TimeSpan.FromHours(1), _clock, token);
            throw new IOException("the connection broke");
        }, stop.Token);
        await AdvanceAsync(4 * 3600, step: 600);
        Assert.That((supervisor.Failing.Count, supervisor.Failed["loop"] >= 3), Is.EqualTo((0, true)));
        await stop.CancelAsync();
        await running;
    }

    // Moves on whenever the loop waits for the clock.
    private async Task AdvanceAsync(int seconds, int step = 1)
    {
        var until = _clock.GetUtcNow().AddSeconds(seconds);
        while (_clock.GetUtcNow() < until)
        {
            if (_clock.Waiting > 0)
                _clock.Advance(TimeSpan.FromSeconds(step));
            await Task.Yield();
        }

        while (_clock.Waiting == 0)
            await Task.Yield();
    }

    [Test]
    public async Task Clock_that_throws_ends_no_loop()
    {
        var faults = new InjectedFaults { IsOn = true };
        var supervisor = new Supervisor(new FaultyClock(faults), _logs.For<Supervisor>());
        var rounds = 0;
        var running = supervisor.RunAsync("loop", _ => Task.FromResult<TimeSpan?>(++rounds > 1 ? null : TimeSpan.Zero), default);
        await TestWait.UntilAsync(() => faults.Thrown >= 3, "it is tried again");
        faults.IsOn = false;
        await running;
        Assert.That((rounds, running.IsCompletedSuccessfully), Is.EqualTo((2, true)));
    }

    [TestCase(false, 1)]
    [TestCase(true, 1)]
    [TestCase(null, 0, Description = "it is stopped, and its services throw then")]
    public async Task Program_whose_service_ends_by_itself_ends_with_another_code_than_0(bool? canceled, int code)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddHostedService(_ => new Ending(canceled));
        using var host = builder.Build();
        var end = HostEnd.Of(host);
        await host.StartAsync();
        if (canceled is null)
            host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await host.WaitForShutdownAsync();
        Assert.That(end.ExitCode, Is.EqualTo(code));
    }

    private sealed class Ending(bool? canceled) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            if (canceled is null)
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stoppingToken);
            throw canceled == true ? new OperationCanceledException() : new InvalidOperationException();
        }
    }

    [Test]
    public void Every_background_service_of_both_programs_is_supervised() =>
        Assert.That(new[] { typeof(WorkerHost).Assembly, typeof(Monitoring.Api.ApiHost).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.IsAssignableTo(typeof(BackgroundService)) && !type.IsAssignableTo(typeof(SupervisedService))), Is.Empty);
}
