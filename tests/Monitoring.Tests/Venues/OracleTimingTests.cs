using System.Globalization;
using System.Net;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Oracle;
using Monitoring.Worker.Venues.Oracle.Sources;
using static Monitoring.Tests.Venues.OracleSample;

namespace Monitoring.Tests.Venues;

/// <summary>Oracle and references in a market that rises by a percent a second: what was not read at one time is not compared.</summary>
public sealed class OracleTimingTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private readonly TestLogs _logs = new();
    private VenueOnCall _venue = null!;
    private SourceOnCall _binance = null!, _okx = null!;
    private OracleMonitor _monitor = null!;

    [SetUp]
    public async Task Create()
    {
        _venue = new VenueOnCall(this);
        (_binance, _okx) = (new SourceOnCall(this, Binance), new SourceOnCall(this, Okx));
        _monitor = new OracleMonitor(
            new HyperliquidClient(new HttpClient(_venue) { BaseAddress = new Uri("http://venue.test") },
                new WeightBudget(_clock), new HyperliquidPipeline(_clock), new LeftOutParts(_logs.For<LeftOutParts>())),
            new ReferenceReader([_binance, _okx], _clock, _logs.For<ReferenceReader>()),
            new ReferenceSelection(Options, _logs.For<ReferenceSelection>()),
            new OracleHistory(Options, null, new PastReads(), _logs.For<OracleHistory>()), Options, _clock);
        await _monitor.CheckAsync(Context()); // from now on it asks both sides at once
        (_binance.Reads, _okx.Reads) = (0, 0);
    }

    [TearDown]
    public void Dispose()
    {
        _venue.Dispose();
        _logs.Dispose();
    }

    private CheckContext Context() =>
        new(new MonitorSchedule(OracleMonitor.MonitorName, Options.Interval), _clock.GetUtcNow(), CheckTrigger.Grid, [], _clock, default);

    private decimal Price => 100 + (decimal)(_clock.GetUtcNow() - ManualClock.Noon).TotalSeconds;

    // Begins a check, lets so many seconds go by, and then answers for who was kept waiting.
    private async Task<CheckReport> CheckAsync(TaskCompletionSource late, double seconds)
    {
        var check = _monitor.CheckAsync(Context());
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        late.SetResult();
        return await check;
    }

    [TestCase(3, 1)]
    [TestCase(3.001, 2)]
    [TestCase(9, 2)]
    public async Task References_are_read_again_when_the_venue_answers_late(double seconds, int reads)
    {
        var report = await CheckAsync(_venue.Wait(), seconds);
        var row = (OracleDeviation)report.Observations.Single();
        Assert.That((_binance.Reads, _okx.Reads, row.ReferenceCount), Is.EqualTo((reads, reads, 2)));
        if (reads > 1)
            Assert.That((row.HyperliquidPrice, row.ReferencePrice, report.Findings.Count),
                Is.EqualTo((Price, Price, 0)), "the market moved, the oracle with it");
    }

    [TestCase(3, true)]
    [TestCase(3.001, false)]
    public async Task References_that_come_late_after_the_venue_are_left_out(double seconds, bool counts)
    {
        var late = _okx.Wait();
        var check = _monitor.CheckAsync(Context());
        Assert.That(_clock.Waiting, Is.EqualTo(1), "only okx is waited for");
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        late.SetResult();
        if (counts)
            Assert.That(((OracleDeviation)(await check).Observations.Single()).ReferenceCount, Is.EqualTo(2));
        else
            Assert.That(Assert.ThrowsAsync<MissingDataException>(() => check)!.Message,
                Is.EqualTo("none of 1 assets has the 2 fresh references that a verdict needs; of 2 price sources 1 failed: "
                    + "okx (answered 3 s after the venue)"));
    }

    /// <summary>The venue, whose one market is at the present price; it keeps one request waiting if it is told to.</summary>
    private sealed class VenueOnCall(OracleTimingTests test) : HttpMessageHandler
    {
        private TaskCompletionSource? _gate;

        public TaskCompletionSource Wait() => _gate = new();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (_gate is { } gate)
                await gate.Task;
            var price = test.Price.ToString(CultureInfo.InvariantCulture);
            var body = $$"""[{"universe":[{"name":"BTC"}]},[{"oraclePx":"{{price}}","markPx":"{{price}}","midPx":null"""
                + $$""","openInterest":"1","dayNtlVlm":"9000000"}]]""";
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body) };
        }
    }

    /// <summary>
    /// A source at the present price, which keeps one reader waiting if it is told to; what it answers is of the
    /// moment at which it does.
    /// </summary>
    private sealed class SourceOnCall(OracleTimingTests test, IReferenceSource original) : IReferenceSource
    {
        private TaskCompletionSource? _gate;

        public int Reads { get; set; }
        public string Name => original.Name;
        public QuoteCurrency Quote => original.Quote;
        public string? UsdtSymbol => null;

        public string? SymbolOf(AssetSymbols asset) => original.SymbolOf(asset);

        public TaskCompletionSource Wait() => _gate = new();

        public async Task<IReadOnlyDictionary<string, ReferenceQuote>> ReadAsync(
            IReadOnlyCollection<string> symbols, CancellationToken cancellationToken)
        {
            Reads++;
            if (_gate is { } gate)
                await gate.Task;
            return symbols.ToDictionary(symbol => symbol, _ => new ReferenceQuote(test.Price, test.Price));
        }
    }
}
