using Monitoring.Data.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid.Feed;

namespace Monitoring.Tests.Venues.Feed;

public sealed class FeedRulesTests
{
    [TestCase(null, false)]
    [TestCase(59.9, false)]
    [TestCase(60d, true)]
    public void Feed_that_is_down_for_a_minute_is_worth_knowing(double? seconds, bool found) =>
        Assert.That(FeedRules.Evaluate(seconds is { } age ? ManualClock.Noon.AddSeconds(-age) : null, ManualClock.Noon,
                new WorkerIdentity("h/1")).Select(finding => (finding.Fingerprint, finding.Severity)),
                Is.EqualTo(found ? new[] { ("feed.down:h:hyperliquid", Severity.Low) } : []));
}
