using Monitoring.Api.Workers;
using Monitoring.Data.Workers;

namespace Monitoring.Tests.Workers;

/// <summary>What the read service makes of the pulses that are stored.</summary>
public sealed class WorkerRulesTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly ServerMode Primary = new(IsStandby: false, IsReadOnly: false);

    // A worker that began an hour before noon, which is when the rows are read.
    private static WorkerPulse Pulse(double age, string worker = "h/1", bool stopped = false, DateTimeOffset? startedAt = null) => new(
        worker, "1", startedAt ?? Noon.AddHours(-1), Noon.AddSeconds(-age), stopped ? Noon.AddSeconds(-age) : null, age);

    private static WorkersView Judge(IReadOnlyList<WorkerPulse> pulses, double sinceRead = 0, string? noWrites = null) =>
        WorkerRules.Judge(new WorkerRows(Primary, pulses, 0), TimeSpan.FromSeconds(sinceRead), noWrites);

    [TestCase(0, 0, WorkerState.Alive, "One worker reports")]
    [TestCase(11.9, 0, WorkerState.Alive, "One worker reports")]
    [TestCase(12, 0, WorkerState.Silent, "No worker has reported for 12 s")]
    [TestCase(4, 8, WorkerState.Silent, "No worker has reported for 12 s")]
    [TestCase(4, 7.9, WorkerState.Alive, "One worker reports")]
    [TestCase(119, 0, WorkerState.Silent, "No worker has reported for 119 s")]
    [TestCase(600, 0, WorkerState.Silent, "No worker has reported for 10 min")]
    [TestCase(36_000, 0, WorkerState.Silent, "No worker has reported for 10 h")]
    [TestCase(864_000, 0, WorkerState.Silent, "No worker has reported for 10 days")]
    public void Worker_is_silent_from_twelve_seconds_on(double age, double sinceRead, WorkerState state, string detail)
    {
        var view = Judge([Pulse(age)], sinceRead);
        Assert.That((view.State, view.Detail, view.AgeSeconds, view.NewestPulseAt, view.Count, view.IsBlind), Is.EqualTo(
            (state, detail, (double?)Math.Round(age + sinceRead, 1), (DateTimeOffset?)Noon.AddSeconds(-age),
                state == WorkerState.Alive ? 1 : 0, state == WorkerState.Silent)));
    }

    [TestCase(3, false)]
    [TestCase(12, true)]
    public void Worker_that_was_stopped_is_told_from_one_that_vanished_and_a_restart_is_not_blindness(double age, bool blind)
    {
        var view = Judge([Pulse(age, stopped: true), Pulse(500, "other/2")]);
        Assert.That((view.State, view.Detail, view.IsBlind),
            Is.EqualTo((WorkerState.Stopped, $"The last worker was stopped {age} s ago", blind)));
        Assert.That(Judge([Pulse(20, "other/2"), Pulse(500, stopped: true)]).State, Is.EqualTo(WorkerState.Silent), "the newest counts");
    }

    [Test]
    public void One_that_vanished_while_another_lives_is_named_and_is_not_no_worker()
    {
        var view = Judge([Pulse(1), Pulse(200, "b/2"), Pulse(300, "c/3", stopped: true)]);
        Assert.That((view.State, view.Count, view.Detail), Is.EqualTo((WorkerState.Alive, 1, "One worker reports; b/2 has not for 3 min")));
        Assert.That(view.Vanished, Is.EqualTo(new[] { "b/2" }));
        Assert.That(Judge([Pulse(1), Pulse(2, "b/2")]).Detail, Is.EqualTo("2 workers report"));
        Assert.That(Judge([Pulse(1), .. "bcdef".Select(host => Pulse(20, $"{host}/2"))]).Detail,
            Is.EqualTo("One worker reports; b/2 has not for 20 s, c/2 has not for 20 s, d/2 has not for 20 s, nor have 2 more"));
    }

    [Test]
    public void One_whose_place_was_taken_on_the_same_host_is_not_missed()
    {
        var crashed = Pulse(20);
        Assert.That(Judge([Pulse(1, "h/2", startedAt: crashed.PulsedAt.AddSeconds(3)), crashed]).Vanished, Is.Empty);
        Assert.That(Judge([Pulse(1, "h/2", startedAt: crashed.PulsedAt.AddSeconds(-3)), crashed]).Vanished, Is.EqualTo(new[] { "h/1" }));
        Assert.That(Judge([Pulse(1, "g/2", startedAt: crashed.PulsedAt.AddSeconds(3)), crashed]).Vanished, Is.EqualTo(new[] { "h/1" }));
    }

    [Test]
    public void Pulse_that_lies_ahead_of_the_clock_is_as_old_as_it_is_ahead()
    {
        Assert.That((Judge([Pulse(-3)]).State, Judge([Pulse(-3)]).AgeSeconds), Is.EqualTo((WorkerState.Alive, (double?)0)));
        var setBack = Judge([Pulse(-300)]);
        Assert.That((setBack.State, setBack.Detail), Is.EqualTo(
            (WorkerState.Silent, "No worker has reported since the database's clock was set back by 5 min or more")));
        Assert.That(Judge([Pulse(-300), Pulse(2, "b/2")]).AgeSeconds, Is.EqualTo(2));
    }

    [Test]
    public void What_cannot_be_written_says_nothing_of_those_who_would_write_it()
    {
        var view = Judge([Pulse(300)], noWrites: "it is a standby");
        Assert.That((view.State, view.Count, view.IsBlind, view.Detail, view.AgeSeconds), Is.EqualTo((WorkerState.Unknown, 0, false,
            "The database takes no writes; the worker cannot be seen from here (it is a standby)", (double?)300)));
        var none = Judge([]);
        Assert.That((none.State, none.NewestPulseAt, none.AgeSeconds, none.IsBlind, none.Detail),
            Is.EqualTo((WorkerState.Unknown, (DateTimeOffset?)null, (double?)null, false, "No worker has reported yet")));
    }

    [Test]
    public void Pulse_that_comes_through_shows_that_writes_are_taken_but_on_a_standby()
    {
        WorkerRows Of(bool standby, bool readOnly, double age) => new(new ServerMode(standby, readOnly), [Pulse(age)], 0);
        Assert.That(WorkerRules.IsAnyAlive(Of(false, true, 3), default), "the worker's account may be set otherwise");
        Assert.That(WorkerRules.IsAnyAlive(Of(true, false, 3), default), Is.False, "its clock is not the one that wrote");
        Assert.That(WorkerRules.FindReadOnly(new ServerMode(false, true)), Is.EqualTo("it is set to read-only"));
        Assert.That(WorkerRules.FindReadOnly(Primary), Is.Null);
    }
}
