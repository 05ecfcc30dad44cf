using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Http;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Tests.Venues;

/// <summary>What the clients of the venue and of the price sources make of answers that no source should give.</summary>
public sealed class SourceHttpTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private static readonly LeftOutParts LeftOut = new(NullLogger<LeftOutParts>.Instance);

    private readonly SemaphoreSlim _bodies = new(0); // that somebody has begun to read

    private ReceiverUnderTest _receiver = null!;
    private ServiceProvider _services = null!;
    private HyperliquidClient _venue = null!;
    private ReferenceHttp _reference = null!;

    [SetUp]
    public async Task Start()
    {
        _receiver = await ReceiverUnderTest.StartAsync();
        var services = new ServiceCollection();
        services.AddSourceClient("source", new Uri(_receiver.Url));
        services.AddSourceClient("watched", new Uri(_receiver.Url)).AddHttpMessageHandler(() => new BodyWatch(_bodies));
        _services = services.BuildServiceProvider();
        var http = _services.GetRequiredService<IHttpClientFactory>();
        _venue = new HyperliquidClient(http.CreateClient("source"), new WeightBudget(_clock, 1_000_000), new HyperliquidPipeline(_clock),
            LeftOut);
        _reference = new ReferenceHttp(http.CreateClient("source"));
    }

    [TearDown]
    public async Task Stop()
    {
        await _services.DisposeAsync();
        await _receiver.DisposeAsync();
        _bodies.Dispose();
    }

    private Task AskVenueAsync() => _venue.GetMarketsAsync(default);

    private Task AskReferenceAsync() => _reference.GetAsync("api/v3/ticker/bookTicker", mayBeUnknown: false, default);

    private void AssertBothSay<T>(string words) where T : Exception
    {
        Assert.That(AskVenueAsync, Throws.TypeOf<MissingDataException>().With.Message.Contains(words));
        Assert.That(AskReferenceAsync, Throws.TypeOf<T>().With.Message.Contains(words));
    }

    [TestCase(301, "https://elsewhere.test/info?key=hunter2", "HTTP 301, a redirect to https://elsewhere.test/info, which is not followed")]
    [TestCase(302, "/sign-in?back=hunter2", "HTTP 302, a redirect to /sign-in, which is not followed")]
    [TestCase(307, "", "HTTP 307, a redirect to nowhere, which is not followed")]
    public void Redirect_is_named_and_not_followed(int status, string location, string words)
    {
        _receiver.AnswerWith(status, "", location == "" ? [] : [("Location", location)]);
        AssertBothSay<SourceUnavailableException>(words);
        Assert.That(_receiver.Received, Has.Count.EqualTo(2), "each asked once");
        Assert.That(AskVenueAsync, Throws.Exception.With.Message.Not.Contains("hunter2"));
    }

    [Test]
    public void Body_goes_out_with_its_length()
    {
        _receiver.AnswerWith(200, "{}");
        Assert.That(AskVenueAsync, Throws.TypeOf<MissingDataException>());
        var sent = _receiver.Received[0];
        Assert.That(sent.Headers["Content-Length"], Is.EqualTo($"{sent.Body.Length}"));
        Assert.That(sent.Headers.Keys, Has.None.EqualTo("Transfer-Encoding"));
        Assert.That((sent.Text, sent.Headers["Content-Type"]),
            Is.EqualTo(("""{"type":"metaAndAssetCtxs"}""", "application/json; charset=utf-8")));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Answer_that_is_too_large_is_not_read_to_its_end(bool saysItsLength)
    {
        const int most = 5 << 20;
        _receiver.Answer = async (_, http) =>
        {
            if (saysItsLength)
                http.Response.ContentLength = most;
            for (var written = 0; written < most && !http.RequestAborted.IsCancellationRequested; written += 64 * 1024)
                await http.Response.Body.WriteAsync(new byte[64 * 1024], http.RequestAborted);
        };
        Assert.That(AskVenueAsync, Throws.TypeOf<MissingDataException>().With.Message.EqualTo(
            "hyperliquid metaAndAssetCtxs: the answer is larger than 1 MiB"));
        Assert.That(AskReferenceAsync, Throws.TypeOf<MissingDataException>().With.Message.EqualTo("the answer is larger than 4 MiB"));
    }

    [Test]
    public void Nesting_is_told_in_plain_words()
    {
        _receiver.AnswerWith(200, new string('[', 5000));
        AssertBothSay<MissingDataException>("it is nested deeper than 64 levels.");
        _receiver.AnswerWith(200, "[1,");
        Assert.That(AskReferenceAsync, Throws.TypeOf<MissingDataException>().With.Message.Not.Contains("nested"));
    }

    // A byte now and then keeps no timer of the connection from running out, so it must not keep the check.
    [Test]
    public async Task Answer_that_comes_byte_by_byte_is_cut_off_at_the_end_of_its_time()
    {
        _receiver.Answer = async (_, http) =>
        {
            while (!http.RequestAborted.IsCancellationRequested)
            {
                await http.Response.WriteAsync(" ", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, http.RequestAborted);
            }
        };
        using var budget = new WeightBudget(_clock);
        var venue = new HyperliquidClient(_services.GetRequiredService<IHttpClientFactory>().CreateClient("watched"), budget,
            new HyperliquidPipeline(_clock), LeftOut);
        var asking = venue.GetMarketsAsync(default);
        await _bodies.WaitAsync(); // it is not the head that it waits for
        var patience = Task.Delay(TimeSpan.FromSeconds(30), TimeProvider.System); // ends a test that would hang
        await _clock.AdvanceUntilDoneAsync(Task.WhenAny(asking, patience), TimeSpan.FromSeconds(1));
        Assert.That(asking.IsCompleted, Is.True, "nothing ends the reading");
        Assert.That(() => asking,
            Throws.TypeOf<SourceUnavailableException>().With.Message.EqualTo("hyperliquid metaAndAssetCtxs: no answer within 10 s"));
    }

    [Test]
    public async Task End_of_the_time_in_another_attempt_tells_what_the_last_one_met()
    {
        _receiver.Answer = (_, http) =>
        {
            http.Response.StatusCode = 503;
            return _receiver.Received.Count == 1 ? http.Response.WriteAsync("maintenance")
                : Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        };
        using var deadline = new CancellationTokenSource();
        using var budget = new WeightBudget(TimeProvider.System);
        var venue = new HyperliquidClient(_services.GetRequiredService<IHttpClientFactory>().CreateClient("source"), budget,
            new HyperliquidPipeline(TimeProvider.System), LeftOut);
        var asking = venue.GetMarketsAsync(deadline.Token);
        await _receiver.WaitForNextAsync();
        await _receiver.WaitForNextAsync();
        await deadline.CancelAsync();
        Assert.That(Assert.CatchAsync<OperationCanceledException>(() => asking)!.Reason(TimeSpan.FromSeconds(1)),
            Is.EqualTo("hyperliquid metaAndAssetCtxs: HTTP 503 maintenance"));
    }

    /// <summary>Tells when the body of an answer begins to be read: its head has come by then.</summary>
    private sealed class BodyWatch(SemaphoreSlim bodies) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            response.Content = new Watched(response.Content, bodies);
            return response;
        }
    }

    private sealed class Watched(HttpContent inner, SemaphoreSlim bodies) : HttpContent
    {
        protected override Task<Stream> CreateContentReadStreamAsync()
        {
            bodies.Release();
            return inner.ReadAsStreamAsync();
        }

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => inner.CopyToAsync(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
