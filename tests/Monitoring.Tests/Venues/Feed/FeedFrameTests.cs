using System.Text;
using System.Text.Json;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Hyperliquid.Feed;

namespace Monitoring.Tests.Venues.Feed;

/// <summary>Reading the websocket's messages, pacing its connections and seeing prices jump.</summary>
public sealed class FeedFrameTests
{
    private static FeedFrame Read(string text) => FeedFrame.Read(Encoding.UTF8.GetBytes(text));

    [Test]
    public void Recorded_trades_are_read()
    {
        var trade = ((FeedFrame.Trades)Read(RecordedAnswers.Text("hl_ws_trades_HYPE_2025-12-04.json"))).Items.Single();
        Assert.That((trade.Coin, trade.Px, trade.Time, trade.Tid), Is.EqualTo(("HYPE", 35.276m, 1764835613064, 716095722814130)));
    }

    [Test]
    public void Fills_are_read_with_and_without_what_old_ones_lack()
    {
        var fills = (FeedFrame.Fills)Read("""{"channel":"userFills","data":{"isSnapshot":true"""
            + ""","user":"0xABC","fills":[{"coin":"BTC","px":"1.5","sz":"2","side":"B","time":7,"more":null}]}}""");
        Assert.That((fills.User, fills.IsSnapshot, fills.Items.Single().Px, fills.Items.Single().Tid),
            Is.EqualTo(("0xabc", true, 1.5m, (long?)null)));
        Assert.That(((FeedFrame.Fills)Read("""{"channel":"userFills","data":{"user":"0xabc","fills":[]}}""")).IsSnapshot, Is.False);
    }

    [Test]
    public void Acknowledgement_names_the_subscription_whatever_the_venue_adds()
    {
        var read = (FeedFrame.Acknowledged)Read(
            """{"channel":"subscriptionResponse","data":{"method":"subscribe","""
            + """ "subscription":{"type":"userFills","user":"0xABC","aggregateByTime":null}}}""");
        Assert.That((read.Method, read.Subscription), Is.EqualTo(("subscribe", new FeedSubscription(FeedSubscription.UserFills, "0xabc"))));
    }

    [TestCase("Websocket connection established.", typeof(FeedFrame.Other))]
    [TestCase("""{"channel":"pong"}""", typeof(FeedFrame.Pong))]
    [TestCase("""{"channel":"error","data":"Invalid subscription x"}""", typeof(FeedFrame.Refused))]
    [TestCase("""{"channel":"allMids","data":{"mids":{}}}""", typeof(FeedFrame.Other))]
    [TestCase("""{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"oraclePx":"1.25","midPx":null}}}""", typeof(FeedFrame.Context))]
    public void Kinds_are_told_apart(string text, Type kind) => Assert.That(Read(text), Is.TypeOf(kind));

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("""{"channel":7}""")]
    [TestCase("""{"channel":"userFills"}""")]
    [TestCase("""{"channel":"userFills","data":null}""")]
    [TestCase("""{"channel":"userFills","data":{"user":null,"fills":[]}}""")]
    [TestCase("""{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"oraclePx":"NaN"}}}""")]
    [TestCase("""{"channel":"subscriptionResponse","data":{}}""")]
    [TestCase("""{"channel":"trades","data":[{"coin":"BTC","px":"1""")]
    public void What_is_not_of_the_venues_shape_is_refused(string text) =>
        Assert.That(() => Read(text), Throws.InstanceOf<JsonException>());

    [TestCase("""{"channel":"userFills","data":{"user":"0xabc","fills":[null]}}""", "fills[0]")]
    [TestCase("""{"channel":"userFills","data":{"user":"0xabc","fills":[{"coin":"BTC","px":1.5,"sz":"2","side":"B","time":7,"tid":3}]}}""",
        "BTC 3")]
    [TestCase("""{"channel":"trades","data":[{"coin":"BTC"}]}""", "BTC")]
    [TestCase("""{"channel":"trades","data":[{"coin":"BTC","px":"0.0","time":1,"tid":1}]}""", "BTC")]
    [TestCase("""{"channel":"trades","data":[null]}""", "trades[0]")]
    public void Message_of_which_nothing_can_be_read_is_no_data(string text, string part) =>
        Assert.That((Read(text).IsData, Read(text).Unreadable.Single().Name), Is.EqualTo((false, part)));

    [Test]
    public void Bad_element_does_not_take_the_others_along()
    {
        var frame = Read("""{"channel":"trades","data":[{"coin":"BTC","px":"x","time":1,"tid":1},"""
            + """{"coin":"ETH","px":"2","time":1,"tid":2}]}""");
        Assert.That((frame.IsData, ((FeedFrame.Trades)frame).Items.Single().Coin, frame.Unreadable.Single()),
            Is.EqualTo((true, "ETH", new UnreadablePart("BTC", "'x' is no decimal number"))));
    }

    [TestCase(100, 100.49, false)]
    [TestCase(100, 100.5, true)]
    [TestCase(100, 99.5, true)]
    [TestCase(100, 0, true)]
    [TestCase(100, -1, true)]
    public void Jump_counts_from_half_a_percent_in_either_direction(double first, double second, bool jumps)
    {
        var prices = new PriceJumps(0.5m);
        Assert.That(prices.Add("a", (decimal)first, ManualClock.Noon), Is.False);
        Assert.That(prices.Add("a", (decimal)second, ManualClock.Noon.AddSeconds(1)), Is.EqualTo(jumps));
        Assert.That(prices.Add("a", (decimal)second, ManualClock.Noon.AddSeconds(2)), Is.False, "it stays where it is");
    }

    [Test]
    public void Price_that_nothing_has_is_a_jump_also_as_the_first_and_so_is_its_end()
    {
        var prices = new PriceJumps(0.5m);
        Assert.That(new[] { 0m, 0, 100, 100, 0, -1 }.Select((price, i) => prices.Add("a", price, ManualClock.Noon.AddSeconds(i))),
            Is.EqualTo(new[] { true, false, true, false, true, true }));
        Assert.That(prices.Add("b", 0.0000000000001m, ManualClock.Noon) || prices.Add("b", 99_999_999_999_999, ManualClock.Noon), Is.True);
    }

    [Test]
    public void Drift_over_minutes_is_no_jump_and_one_within_a_minute_is()
    {
        var prices = new PriceJumps(0.5m);
        Assert.That(Enumerable.Range(0, 100).Select(i => prices.Add("slow", 100 + (0.1m * i), ManualClock.Noon.AddSeconds(61 * i))),
            Has.None.True);
        Assert.That(Enumerable.Range(0, 7)
            .Select(i => prices.Add("fast", 100 + (0.1m * i), ManualClock.Noon.AddSeconds(5 * i)))
            .Count(jumped => jumped), Is.EqualTo(1));
        Assert.That(prices.Add("late", 100, ManualClock.Noon) || prices.Add("late", 101, ManualClock.Noon.AddMinutes(9)),
            Is.True, "against the price before");
    }

    [Test]
    public void Connections_are_paced_by_backoff_jitter_and_the_limit_of_a_minute()
    {
        var clock = new ManualClock(ManualClock.Noon);
        var pacing = new ConnectionPacing(clock, () => 1);
        Assert.That(pacing.Delay(), Is.EqualTo(TimeSpan.Zero), "at once at first");
        var delays = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            pacing.Attempt();
            pacing.Ended(TimeSpan.Zero);
            delays.Add(pacing.Delay().TotalSeconds);
            clock.Advance(pacing.Delay());
        }

        Assert.That(delays, Is.EqualTo(new double[] { 1, 2, 4, 8, 16, 32, 60, 60 }));
        pacing.Ended(TimeSpan.FromMinutes(1));
        Assert.That(pacing.Delay().TotalSeconds, Is.EqualTo(1), "one that held begins anew");

        var eager = new ConnectionPacing(clock, () => 0);
        for (var i = 0; i < ConnectionPacing.MostPerMinute; i++)
        {
            Assert.That(eager.Delay(), Is.EqualTo(TimeSpan.Zero));
            eager.Attempt();
            eager.Ended(TimeSpan.Zero);
        }

        Assert.That(eager.Delay(), Is.EqualTo(TimeSpan.FromMinutes(1)), "whatever the jitter says");
    }
}
