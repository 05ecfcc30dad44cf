using Monitoring.Simulator;
using Monitoring.Simulator.Model;
using Monitoring.Simulator.Watching;

namespace Monitoring.Tests.Scenarios;

public sealed class ScenarioTests
{
    private static string TextOf(string name) => File.ReadAllText(Repository.File($"tests/Monitoring.Simulator/Scenarios/{name}.json"));

    [Test]
    public void Every_scenario_that_is_shipped_can_be_played() =>
        Assert.That(ScenarioLoader.Names.Select(name => ScenarioLoader.Load(name).Name), Is.EqualTo(ScenarioLoader.Names));

    [TestCase("\"http500\"", "\"http501\"", "moves[0].fault.kind: one of http500, http429,")]
    [TestCase("\"http500\"", "\"slow\"", "moves[0].fault.kind: one of")]
    [TestCase("\"seconds\": 85", "\"seconds\": 106", "moves[0].fault.seconds: above 0, and over before duration_seconds")]
    [TestCase("\"seconds\": 85", "\"seconds\": 85, \"type\": \"everything\"", "moves[0].fault.type: a request type")]
    public void Fault_that_cannot_be_played_is_refused(string sound, string broken, string complaint) =>
        Assert.That(
            Assert.Throws<ScenarioException>(() => ScenarioLoader.Parse(TextOf("venue-outage").Replace(sound, broken), "f.json"))!.Message,
            Does.StartWith($"f.json: {complaint}"));

    [Test]
    public void Fault_lasts_its_seconds()
    {
        var clock = new ManualClock(ManualClock.Noon);
        var venue = new Venue(new SimulatorOptions(ScenarioLoader.Load("venue-outage")) { Clock = clock });
        foreach (var (second, faulty) in new[] { (0, false), (9.999, false), (10, true), (94.999, true), (95, false) })
        {
            clock.Advance(ManualClock.Noon.AddSeconds(second) - clock.GetUtcNow());
            Assert.That(venue.Faults.Take("vaultDetails") is not null, Is.EqualTo(faulty), $"{second} s");
        }
    }

    [TestCase(26.5, 35.0, "  hlp.inventory fired 8.5 s before hlp.loss, the first rule that sees a loss.")]
    [TestCase(36.0, 35.0, "  hlp.inventory fired 1.0 s AFTER hlp.loss, the first rule that sees a loss.")]
    public void Report_says_whether_the_position_was_seen_before_its_loss(double inventoryAt, double lossAt, string line)
    {
        var start = ManualClock.Noon;
        WatchedEvent Raised(string rule, double at) =>
            new(new EventView(Guid.NewGuid(), rule, Severity.Critical, "open", "t", start.AddSeconds(at)),
                [new ChangeView(1, start.AddSeconds(at), "opened", Severity.Critical)],
                [new NotificationView(1, start.AddSeconds(at + 0.2))]);
        var scenario = new ScenarioView("s", "", start, 100, 100, Severity.High,
            [new ExpectedView("hlp.loss", Severity.Critical, start.AddSeconds(25), 20, true, null),
                new ExpectedView("hlp.inventory", Severity.Critical, start.AddSeconds(25), 20, true, null)]);
        var report = Report.Of(scenario, [Raised("hlp.loss", lossAt), Raised("hlp.inventory", inventoryAt)]);
        using var output = new StringWriter();
        ReportTable.Print(report, scenario, [], output);
        Assert.That(output.ToString().Split('\n'), Has.One.EqualTo(line));
        Assert.That(report.Expected[0].ToldSeconds, Is.EqualTo((decimal)(lossAt - 25 + 0.2)));
    }
}
