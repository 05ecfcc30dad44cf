using Monitoring.Simulator.Model;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Inventory;

namespace Monitoring.Tests.Venues;

public sealed class AccountValueIdentityTests
{
    [Test]
    public void Recorded_portfolio_does_not_contradict_itself() =>
        Assert.That(AccountValueIdentity.FindContradictions(RecordedAnswers.StrategyB), Is.Empty);

    [Test]
    public void Recorded_week_leaves_its_deposits()
    {
        // Account value +15.13 M, PnL -0.91 M: 16.04 M USD came in.
        var week = RecordedAnswers.StrategyB.Week;
        Assert.That(AccountValueIdentity.Residual(week.First, week.Last, flows: 0), Is.EqualTo(16_039_453.310000016m).Within(0.01m));
    }

    [TestCase("calm")]
    [TestCase("whale-liquidation")]
    [TestCase("short-squeeze")]
    public void Every_vault_of_the_simulator_keeps_the_identity_at_every_second(string name)
    {
        var scenario = ScenarioLoader.Load(name);
        var tree = new Monitoring.Simulator.Model.VaultTree(scenario);
        foreach (var account in scenario.Components.Select(component => component.Address)
            .Append(scenario.Vault.Address)
            .Select(address => tree.Find(address)!))
        {
            PortfolioPoint At(int second) =>
                new(ManualClock.Noon.AddSeconds(second), account.AccountValueAt(second), account.PnlAt(second));
            for (var second = 1; second <= scenario.DurationSeconds; second++)
                Assert.That(
                    AccountValueIdentity.Residual(At(second - 1), At(second), account.FlowsAt(second) - account.FlowsAt(second - 1)),
                    Is.EqualTo(0m).Within(0.01m), $"{account.Name} at {second} s");
        }
    }

    [Test]
    public void Flow_that_one_period_has_and_another_has_not_is_a_contradiction()
    {
        var sound = Sample.Portfolio(ManualClock.Noon, 100_000_000, _ => 0);
        Assert.That(AccountValueIdentity.FindContradictions(sound), Is.Empty);

        var shared = sound.Day.First with { At = sound.Week.First.At, AccountValue = sound.Week.First.AccountValue + 5_000_000 };
        var broken = sound with { Day = new PortfolioSeries([shared, .. sound.Day.Points]) };
        Assert.That(AccountValueIdentity.FindContradictions(broken),
            Has.One.Contains("day and week leave amounts to flows that differ by -5000000.00 USD"));
    }

    [Test]
    public void Live_points_that_differ_are_a_contradiction()
    {
        var sound = Sample.Portfolio(ManualClock.Noon, 100_000_000, _ => 0);
        var broken = sound with
        {
            Day = new PortfolioSeries([.. sound.Day.Points.SkipLast(1), sound.Day.Last with { AccountValue = 99_000_000 }]),
        };
        Assert.That(AccountValueIdentity.FindContradictions(broken),
            Has.Count.EqualTo(3).And.All.StartsWith("the live point of day is 99000000.00 USD"));
    }
}
