using Microsoft.Extensions.Configuration;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Notifications;

namespace Monitoring.Tests.Notifications;

/// <summary>Routes in configuration, and the pure rules of retrying.</summary>
public sealed class NotificationOptionsTests
{
    private static WorkerOptions Read(params (string Key, string Value)[] settings) =>
        WorkerOptions.Read(new SettingsReader(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Append(("WEBHOOK_URL", "https://hooks.example.org/x"))
                .Select(s => KeyValuePair.Create(s.Item1, (string?)s.Item2))).Build()), withoutDatabase: true);

    [Test]
    public void Route_is_read_with_all_its_parts()
    {
        var route = Read(("ALERT_MIN_SEVERITY", "medium"), ("Notifications:Routes:desk:Channels", "Webhook"),
            ("Notifications:Routes:desk:ThreatTypes", "hlp_anomaly, hlp_exploitation"),
            ("Notifications:Routes:desk:Subjects", "BTC,k*"), ("Notifications:Routes:desk:After", "900")).Notifications.Routes.Single();
        Assert.That((route.Name, route.MinSeverity, route.After), Is.EqualTo(("desk", Severity.Medium, 900)));
        Assert.That((string[])[.. route.Channels, .. route.ThreatTypes, .. route.Subjects],
            Is.EqualTo(new[] { "webhook", "hlp_anomaly", "hlp_exploitation", "BTC", "k*" }));
    }

    [Test]
    public void People_are_reminded_of_critical_events_each_half_hour_unless_it_is_set()
    {
        Assert.That(Read().Events.Remind,
            Is.EqualTo(new Dictionary<Severity, TimeSpan> { [Severity.Critical] = TimeSpan.FromMinutes(30) }));
        Assert.That(Read(("Notifications:Remind:Critical", "0"), ("Notifications:Remind:Low", "600")).Events.Remind,
            Is.EqualTo(new Dictionary<Severity, TimeSpan> { [Severity.Low] = TimeSpan.FromMinutes(10) }));
        Assert.That((Read().Events.Inhibit, Read(("Notifications:Inhibit", "off")).Events.Inhibit), Is.EqualTo((true, false)));
    }

    [TestCase("Channels", "pigeon",
        "Notifications:Routes:desk:Channels: 'pigeon' is not allowed; it must be separated by commas: webhook, slack")]
    [TestCase("Channels", "slack", "Notifications:Routes:desk:Channels: names slack, which is off; set SLACK_WEBHOOK_URL")]
    [TestCase("MinSeverity", "awful", "Notifications:Routes:desk:MinSeverity: 'awful' is not allowed")]
    [TestCase("ThreatTypes", "hlp_anomalie", "Notifications:Routes:desk:ThreatTypes: 'hlp_anomalie' is not allowed")]
    [TestCase("Colour", "red", "Notifications:Routes:desk:Colour: no such setting")]
    [TestCase("Subjects", "BTC", "Notifications:Routes:desk:Channels: is not set")]
    public void Bad_route_stops_the_start_with_what_is_wrong(string key, string value, string fault) =>
        Assert.That(Assert.Throws<ConfigurationFaultException>(() => Read(($"Notifications:Routes:desk:{key}", value)))!.Faults,
            Has.Some.StartsWith(fault));

    [Test]
    public void Waits_double_up_to_their_bound_and_are_drawn_evenly_below_it()
    {
        Assert.That(Enumerable.Range(1, 6).Select(attempts => DeliveryRules.Backoff(attempts, 1).TotalSeconds),
            Is.EqualTo(new[] { 1, 2, 4, 8, 16, 32 }));
        Assert.That((DeliveryRules.Backoff(1000, 1), DeliveryRules.Backoff(1000, 0.5), DeliveryRules.Backoff(3, 0)),
            Is.EqualTo((DeliveryRules.LongestBackoff, DeliveryRules.LongestBackoff / 2, TimeSpan.Zero)));
    }

    [Test]
    public void Nobody_can_switch_a_channel_off_by_an_endless_retry_after()
    {
        var claimed = new ClaimedMessage(new NotificationMessage(Guid.NewGuid(), []), 1, null);
        var verdict = DeliveryRules.Judge(
            new DeliveryOutcome.Retry("HTTP 429", TimeSpan.FromDays(365)), claimed, ManualClock.Noon, TimeSpan.FromDays(1), 0.5);
        Assert.That(verdict, Is.EqualTo(new DeliveryVerdict.Again(
            ManualClock.Noon.AddHours(1), ManualClock.Noon.AddHours(1), ManualClock.Noon.AddDays(1), "HTTP 429")));
    }

    [Test]
    public void Every_threat_type_that_rules_report_can_be_routed()
    {
        Assert.That(DataSubjects.Rules.ThreatTypes, Has.Member("journal_fault").And.Member("feed_down").And.Unique);
        foreach (var type in DataSubjects.Rules.ThreatTypes)
            Assert.That(
                Read(("Notifications:Routes:desk:Channels", "webhook"), ("Notifications:Routes:desk:ThreatTypes", type))
                    .Notifications.Routes.Single().ThreatTypes,
                Is.EqualTo(new[] { type }));
    }
}
