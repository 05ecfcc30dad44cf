using System.Net;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Watching;

namespace Monitoring.Tests.Checks;

/// <summary>When a clock that is wrong is said, and what the sources say of the time.</summary>
public sealed class ClockRulesTests
{
    [TestCase(4.9, null)]
    [TestCase(5, Severity.Medium)]
    [TestCase(-59.9, Severity.Medium)]
    [TestCase(60, Severity.High)]
    [TestCase(-7200, Severity.High)]
    public void Clock_is_off_from_five_seconds_on_and_wrong_from_a_minute_on(double ahead, Severity? severity)
    {
        var findings = ClockRules.Evaluate("host", [new ClockDifference("venue", TimeSpan.FromSeconds(ahead), TimeSpan.Zero)]);
        Assert.That(findings.SingleOrDefault()?.Severity, Is.EqualTo(severity));
    }

    [Test]
    public void What_an_answer_leaves_open_is_no_difference()
    {
        var little = new ClockDifference("venue", TimeSpan.FromSeconds(5.9), TimeSpan.FromSeconds(1));
        Assert.That(ClockRules.Evaluate("host", [little]), Is.Empty);
        var both = ClockRules.Evaluate("host", [new ClockDifference("venue", TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(1)),
            new ClockDifference("database", TimeSpan.FromSeconds(-90), TimeSpan.Zero)]).Single();
        Assert.That((both.Severity, both.Subject.Text, both.Description), Is.EqualTo((Severity.High, "host",
            "host's clock is 90 s behind database, 8 s ahead of venue. Until they agree no partition is dropped, and results are stored "
            + "under the database's time.")));
    }

    [TestCase(null, 8)]
    [TestCase(0, 8)]
    [TestCase(40, null, Description = "from a cache")]
    public async Task Source_says_its_time_by_its_header(int? age, double? behind)
    {
        var right = new ManualClock(ManualClock.Noon);
        var clock = new WorkerClock(right);
        using var client = new HttpMessageInvoker(
            new SourceClocks("venue", clock) { InnerHandler = new Answering(ManualClock.Noon.AddSeconds(7.5), age) });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://venue.test/");
        using var answer = await client.SendAsync(request, default);
        Assert.That(clock.Differences.SingleOrDefault()?.Ahead.TotalSeconds, Is.EqualTo(-behind).Within(0.51));
    }

    [Test]
    public void Success_that_lies_ahead_is_not_the_newest_of_this_process()
    {
        var statistics = new SessionStatistics(new ManualClock(ManualClock.Noon));
        statistics.Count(ResultSample.Of("m", ManualClock.Noon.AddHours(2), CheckOutcome.Succeeded, [], []).Run);
        statistics.Count(ResultSample.Of("m", ManualClock.Noon, CheckOutcome.Succeeded, [], []).Run);
        Assert.That(statistics.Find("m")!.LastSuccessAt, Is.EqualTo(ManualClock.Noon));
    }

    private sealed class Answering(DateTimeOffset date, int? age) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = new HttpResponseMessage(HttpStatusCode.OK);
            (answer.Headers.Date, answer.Headers.Age) = (date, age is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
            return Task.FromResult(answer);
        }
    }
}
