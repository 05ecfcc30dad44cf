using Monitoring.Worker.Checks;

namespace Monitoring.Tests.Checks;

/// <summary>Which time the worker takes for the right one, by what it was told.</summary>
public sealed class WorkerClockTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly ManualClock _right = new(Noon);
    private readonly SteppedClock _machine;

    public WorkerClockTests()
    {
        _machine = new SteppedClock(_right);
        Clock = new WorkerClock(_machine);
    }

    private WorkerClock Clock { get; }

    private void Hear(string clock = WorkerClock.Database, TimeSpan ahead = default) =>
        Clock.Hear(clock, _right.GetUtcNow() + ahead, TimeSpan.Zero, _right.GetTimestamp());

    private TimeSpan Wrong => Clock.GetUtcNow() - _right.GetUtcNow();

    [Test]
    public void Machine_is_right_until_the_database_says_otherwise()
    {
        _machine.Ahead = TimeSpan.FromHours(2);
        Assert.That((Wrong, Clock.CorrectionSeconds), Is.EqualTo((TimeSpan.FromHours(2), (decimal?)null)));
        Hear("venue");
        Assert.That(Wrong, Is.EqualTo(TimeSpan.FromHours(2)), "a source alone changes no time");
        Hear();
        Assert.That((Wrong, Clock.CorrectionSeconds), Is.EqualTo((TimeSpan.Zero, (decimal?)-7200)));
    }

    [TestCase(59.9, 59.9)]
    [TestCase(-59.9, -59.9)]
    [TestCase(60, 0)]
    [TestCase(-60, 0)]
    [TestCase(27 * 86400, 0)]
    [TestCase(-27 * 86400, 0)]
    public void Clock_that_is_set_wrong_is_known_at_once_and_for_as_long_as_the_database_is_away(double seconds, double wrong)
    {
        Hear();
        _right.Advance(TimeSpan.FromMinutes(7));
        _machine.Ahead = TimeSpan.FromSeconds(seconds);
        Assert.That(Wrong, Is.EqualTo(TimeSpan.FromSeconds(wrong)));
        _right.Advance(TimeSpan.FromHours(9));
        Assert.That(Wrong, Is.EqualTo(TimeSpan.FromSeconds(wrong)));
        _machine.Ahead = TimeSpan.Zero;
        Assert.That((Wrong, Clock.CorrectionSeconds), Is.EqualTo((TimeSpan.Zero, (decimal?)0)));
    }

    [Test]
    public void Machine_that_stood_still_is_right_as_soon_as_anybody_says_so()
    {
        Hear();
        var pause = TimeSpan.FromHours(1);
        _machine.Ahead = pause; // its clock went on, the time that has passed for it did not
        Assert.That((Clock.IsInDoubt, Clock.GetUtcNow()), Is.EqualTo((true, Noon)));
        Hear("venue", pause);
        Assert.That(Clock.GetUtcNow(), Is.EqualTo(Noon + pause));
        Hear(ahead: pause);
        Assert.That((Clock.IsInDoubt, Clock.GetUtcNow()), Is.EqualTo((false, Noon + pause)));
    }

    [Test]
    public void Answer_that_was_long_under_way_says_nothing()
    {
        var askedAt = _right.GetTimestamp();
        _right.Advance(TimeSpan.FromSeconds(2.1));
        Clock.Hear(WorkerClock.Database, Noon.AddHours(1), TimeSpan.Zero, askedAt);
        Assert.That(Clock.Differences, Is.Empty);
        askedAt = _right.GetTimestamp();
        _right.Advance(TimeSpan.FromSeconds(2));
        Clock.Hear("venue", Noon.AddSeconds(12), TimeSpan.FromSeconds(0.5), askedAt);
        var difference = Clock.Differences.Single();
        Assert.That((difference.Clock, difference.Ahead, difference.Error, difference.AtLeast), Is.EqualTo(
            ("venue", TimeSpan.FromSeconds(-8.9), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(7.4))));
    }
}
