using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Tests.Notifications;

/// <summary>What each channel makes of what a service, or what stands before it, answers.</summary>
[TestFixtureSource(typeof(ChannelSample), nameof(ChannelSample.OverHttp))]
public sealed class ChannelOutcomeTests(string channel)
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private ReceiverUnderTest _receiver = null!;

    [SetUp]
    public async Task Start() => _receiver = await ReceiverUnderTest.StartAsync();

    [TearDown]
    public async Task Stop() => await _receiver.DisposeAsync();

    private async Task<DeliveryOutcome> SendAsync(string? url = null)
    {
        await using var channels = ChannelSample.Channels(url ?? _receiver.Url, _clock);
        return await channels.Named(channel).SendAsync(ChannelSample.Message(ChannelSample.Loss()), default);
    }

    private static void AssertRetry(DeliveryOutcome outcome, TimeSpan? after, string reason) => Assert.Multiple(() =>
    {
        Assert.That((outcome as DeliveryOutcome.Retry)?.After, Is.EqualTo(after), $"{outcome}");
        Assert.That((outcome as DeliveryOutcome.Retry)?.Reason, Does.Contain(reason), $"{outcome}");
    });

    private static string AcceptanceOf(string channel) => channel switch
    {
        "slack" => "ok",
        "discord" => """{"type":0,"content":"…","embeds":[],"id":"1445"}""",
        "telegram" => """{"ok":true,"result":{"message_id":7}}""",
        "pagerduty" => """{"status":"success","message":"Event processed","dedup_key":"k"}""",
        _ => "",
    };

    [TestCase(200)]
    [TestCase(202)]
    public async Task Success_with_the_services_own_proof_is_delivered(int status)
    {
        _receiver.AnswerWith(status, AcceptanceOf(channel));
        Assert.That(await SendAsync(), Is.EqualTo(new DeliveryOutcome.Delivered()));
        _receiver.AnswerWith(status, ReceiverUnderTest.Accepted);
        Assert.That(await SendAsync(), Is.EqualTo(new DeliveryOutcome.Delivered()));
    }

    [TestCase("")]
    [TestCase("OK")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("""{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}""")]
    [TestCase("""{"ok":"true","id":1,"status":true}""")]
    [TestCase("""{"status":"invalid event","message":"Event object is invalid"}""")]
    [TestCase("""{"ok":true,"id":"1","status":"succ""")]
    public async Task Success_without_proof_is_tried_again_and_said(string body)
    {
        _receiver.AnswerWith(200, body);
        var outcome = await SendAsync();
        if (channel == "webhook") // the operator's own address, which owes no answer
            Assert.That(outcome, Is.EqualTo(new DeliveryOutcome.Delivered()));
        else
            AssertRetry(outcome, null, $"the answer does not say that the message was accepted: HTTP 200{(body == "" ? "" : $": {body}")}");
    }

    [TestCase("<!DOCTYPE html><html><body>Sign in</body></html>")]
    [TestCase("\uFEFF\r\n <HTML lang=\"en\">")]
    public async Task Page_for_people_is_no_acceptance(string page)
    {
        _receiver.AnswerWith(200, page);
        AssertRetry(await SendAsync(), null, "the answer does not say that the message was accepted: HTTP 200: ");
    }

    [Test]
    public async Task Acceptance_that_breaks_off_is_tried_again()
    {
        _receiver.Answer = async (_, http) =>
        {
            http.Response.ContentLength = 1000;
            await http.Response.WriteAsync("""{"ok":true,""");
            await http.Response.Body.FlushAsync();
            http.Abort();
        };
        Assert.That(await SendAsync(), channel == "webhook" ? Is.Not.TypeOf<DeliveryOutcome.Dead>() : Is.TypeOf<DeliveryOutcome.Retry>());
    }

    [TestCase(408)]
    [TestCase(425)]
    [TestCase(429)]
    [TestCase(500)]
    [TestCase(503)]
    public async Task Passing_refusal_is_tried_again_when_the_service_says(int status)
    {
        _receiver.AnswerWith(status, "slow down", ("Retry-After", "7"));
        AssertRetry(await SendAsync(), TimeSpan.FromSeconds(7), $"HTTP {status}: slow down");
        _receiver.AnswerWith(status);
        AssertRetry(await SendAsync(), null, $"HTTP {status}");
    }

    [TestCase("""{"message":"limited","retry_after":7.25,"global":false}""", 7.25)]
    [TestCase("""{"ok":false,"error_code":429,"parameters":{"retry_after":7}}""", 7)]
    [TestCase("""{"retry_after":-3}""", 0)]
    [TestCase("""{"retry_after":1e300}""", 86400)]
    [TestCase("""{"retry_after":"soon"}""", null)]
    [TestCase("[7]", null)]
    [TestCase("<html>", null)]
    public async Task Wait_is_read_from_the_body_too(string body, double? seconds)
    {
        _receiver.AnswerWith(429, body);
        AssertRetry(await SendAsync(), seconds is { } wait ? TimeSpan.FromSeconds(wait) : null, "HTTP 429");
    }

    [Test]
    public async Task Date_to_wait_for_counts_from_the_services_clock()
    {
        _receiver.AnswerWith(503, "", ("Date", "Sat, 21 Nov 2026 09:00:00 GMT"), ("Retry-After", "Sat, 21 Nov 2026 09:00:07 GMT"));
        AssertRetry(await SendAsync(), TimeSpan.FromSeconds(7), "HTTP 503");
    }

    [TestCase(400)]
    [TestCase(401)]
    [TestCase(404)]
    [TestCase(410)]
    public async Task Refusal_is_dead_at_once_with_the_reason_and_without_secrets(int status)
    {
        _receiver.Answer = (request, http) =>
        {
            http.Response.StatusCode = status;
            return http.Response.WriteAsync($"no\r\nsuch \u202Ething at {request.Target.Split('?')[0]} for {request.Text}");
        };
        var outcome = await SendAsync();
        Assert.That((outcome as DeliveryOutcome.Dead)?.Reason, Does.StartWith($"HTTP {status}: no such thing at "), $"{outcome}");
        foreach (var secret in new[]
        {
            "slack-secret", "discord-secret", ChannelSample.Token, ChannelSample.Secret, "0123456789abcdef0123456789ABCDEF",
        })
            Assert.That($"{outcome}", Does.Not.Contain(secret));
    }

    [Test]
    public async Task Redirect_is_not_followed()
    {
        _receiver.AnswerWith(302, "", ("Location", $"{_receiver.Url}/elsewhere"));
        Assert.That(await SendAsync(), Is.TypeOf<DeliveryOutcome.Dead>());
        Assert.That(_receiver.Received, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Silence_ends_after_ten_seconds()
    {
        _receiver.Answer = (_, http) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        var sending = SendAsync();
        await _receiver.WaitForNextAsync();
        _clock.Advance(ChannelHttp.Deadline);
        AssertRetry(await sending, null, "no answer within 10 s");
    }

    [Test]
    public async Task Refusal_whose_body_never_ends_keeps_its_status()
    {
        var begun = new TaskCompletionSource();
        _receiver.Answer = async (_, http) =>
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync("because");
            await http.Response.Body.FlushAsync();
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        };
        var sending = SendAsync();
        await begun.Task;
        await _clock.AdvanceUntilDoneAsync(sending, TimeSpan.FromSeconds(10));
        Assert.That(await sending, Is.TypeOf<DeliveryOutcome.Dead>().Or.TypeOf<DeliveryOutcome.Retry>());
    }

    [Test]
    public async Task Broken_connection_is_tried_again()
    {
        _receiver.Answer = (_, http) =>
        {
            http.Abort();
            return Task.CompletedTask;
        };
        Assert.That(await SendAsync(), Is.TypeOf<DeliveryOutcome.Retry>());
        AssertRetry(await SendAsync("http://127.0.0.1:1"), null, "Connection refused");
    }

    [Test]
    public async Task Huge_refusal_is_cut()
    {
        _receiver.AnswerWith(400, new string('x', 5_000_000));
        Assert.That((await SendAsync() as DeliveryOutcome.Dead)?.Reason, Has.Length.LessThan(400).And.EndsWith("…"));
    }

    [TestCase("garbage\r\n\r\n")]
    [TestCase("HTTP/1.1 200")]
    [TestCase("")]
    public async Task What_is_no_http_is_tried_again(string answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var sending = SendAsync($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        using (var client = await listener.AcceptTcpClientAsync())
        {
            _ = await client.GetStream().ReadAtLeastAsync(new byte[1], 1);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
        }

        listener.Stop();
        Assert.That(await sending, Is.TypeOf<DeliveryOutcome.Retry>());
    }

    [Test]
    public async Task Cancellation_is_thrown()
    {
        using var stop = new CancellationTokenSource();
        _receiver.Answer = (_, http) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        await using var channels = ChannelSample.Channels(_receiver.Url, _clock);
        var sending = channels.Named(channel).SendAsync(ChannelSample.Message(ChannelSample.Loss()), stop.Token);
        await _receiver.WaitForNextAsync();
        await stop.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => sending);
    }
}
