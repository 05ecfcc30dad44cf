using Monitoring.Benchmarks.Faults;

namespace Monitoring.Tests.EndToEnd;

/// <summary>
/// The short form of ./bench faults, by the same code: the worker's process, a PostgreSQL of its own, the simulator and
/// a receiver, all of which fail.
/// </summary>
[NonParallelizable] // it counts what a machine that is busy with other tests would make late
public sealed class FaultTests
{
    [Test]
    public async Task Nothing_observed_is_lost_and_nothing_decided_is_unsent_when_everything_dies()
    {
        var report = await FaultRun.RunAsync(
            new FaultOptions(Kills: 2, Stops: 1, Cuts: 3, Seed: 20261121, Wide: false), TestContext.Out, CancellationToken.None);
        report.Print(TestContext.Out);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.SettledAfter, Is.Not.Null, "caught up in time");
            Assert.That(report.Observed.Where(one => one.Missing != 0 || one.Doubled != 0), Is.Empty);
            Assert.That(report.Delivered, Has.Property("Missing").Zero.And.Property("RepeatedWithoutCause").Zero.And.Property("Dead").Zero);
            Assert.That(report.Observed.Select(one => one.Count), Is.All.Positive);
            Assert.That(report.Delivered.Decided, Is.Positive);
        }
    }

    [Test]
    public async Task Worker_that_is_held_still_a_table_that_is_locked_and_a_server_that_hangs_hold_up_no_check_and_no_critical_message()
    {
        var report = await PauseRun.RunAsync(
            new PauseOptions(Freezes: 1, Locks: 4, LongestFreeze: TimeSpan.FromSeconds(8), Lock: TimeSpan.FromSeconds(20), Workers: 3)
            {
                Journals = 1,
            },
            TestContext.Out, CancellationToken.None);
        report.Print(TestContext.Out);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Pauses, Has.Count.EqualTo(6));
            Assert.That(report.Pauses.Where(pause => pause.Problems.Count > 0), Is.Empty);
            Assert.That((report.Missing, report.Ends.Count, report.Kept > 30), Is.EqualTo((0, 0, true)));
        }
    }
}
