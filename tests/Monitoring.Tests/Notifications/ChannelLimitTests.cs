using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Monitoring.Data.Configuration;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Tests.Notifications;

/// <summary>Overlong and hostile texts, storms, rate and signature.</summary>
public sealed class ChannelLimitTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private ReceiverUnderTest _receiver = null!;

    [SetUp]
    public async Task Start() => _receiver = await ReceiverUnderTest.StartAsync();

    [TearDown]
    public async Task Stop() => await _receiver.DisposeAsync();

    private async Task<JsonNode> SendAsync(string channel, NotificationMessage message)
    {
        await using var channels = ChannelSample.Channels(_receiver.Url, _clock);
        Assert.That(await channels.Named(channel).SendAsync(message, default), Is.EqualTo(new DeliveryOutcome.Delivered()));
        return JsonNode.Parse(_receiver.Received[0].Body)!;
    }

    private static readonly string[] Long =
    [
        new('x', 20_000), string.Concat(Enumerable.Repeat("👩‍👩‍👧 ", 3000)), new('&', 20_000), new('*', 20_000),
        string.Concat(Enumerable.Repeat("\uD83D", 9000)), "<!channel> @everyone <@1> </b> 🎉",
    ];

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(member => Texts(member.Value)),
        JsonArray a => a.SelectMany(Texts),
        JsonValue v when v.TryGetValue<string>(out var text) => [text],
        _ => [],
    };

    [Test]
    public async Task Slack_keeps_its_limits([ValueSource(nameof(Long))] string text)
    {
        var body = await SendAsync("slack", ChannelSample.Message(ChannelSample.Hostile(text)));
        var blocks = body["blocks"]!.AsArray();
        Assert.That(blocks, Has.Count.LessThanOrEqualTo(50));
        Assert.That((string?)blocks[0]!["text"]!["text"], Has.Length.LessThanOrEqualTo(150));
        Assert.That(Texts(body).Select(part => part.Length), Has.All.LessThanOrEqualTo(3000));
        foreach (var markup in Texts(body["text"])
            .Concat(blocks.Where(block => (string?)block!["text"]?["type"] == "mrkdwn").SelectMany(Texts)))
            Assert.That(markup, Does.Not.Contain("<!").And.Not.Contain("<@"));
    }

    [Test]
    public async Task Discord_keeps_its_limits_and_mentions_nobody([ValueSource(nameof(Long))] string text)
    {
        var body = await SendAsync("discord", ChannelSample.Message(ChannelSample.Hostile(text)));
        var embed = body["embeds"]!.AsArray().Single()!;
        Assert.That((string?)body["content"], Has.Length.LessThanOrEqualTo(2000));
        Assert.That(body["allowed_mentions"]!.ToJsonString(), Is.EqualTo("""{"parse":[]}"""));
        Assert.That(Texts(embed).Sum(part => part.Length) - ((string)embed["url"]!).Length - ((string)embed["timestamp"]!).Length,
            Is.LessThanOrEqualTo(6000));
        Assert.That((string?)embed["description"], Has.Length.LessThanOrEqualTo(4096));
        foreach (var field in embed["fields"]!.AsArray())
            Assert.That(((string)field!["name"]!).Length <= 256 && ((string)field["value"]!).Length <= 1024, Is.True);
    }

    [Test]
    public async Task Telegram_keeps_its_limit_and_its_markup_stays_whole([ValueSource(nameof(Long))] string text)
    {
        var sent = (string)(await SendAsync("telegram", ChannelSample.Message(ChannelSample.Hostile(text))))["text"]!;
        Assert.That(sent, Has.Length.LessThanOrEqualTo(4096));
        Assert.That(() => System.Xml.Linq.XElement.Parse($"<m>{sent}</m>"), Throws.Nothing);
        Assert.That(sent, Does.Not.Contain("@everyone"));
    }

    [Test]
    public async Task PagerDuty_keeps_its_limits([ValueSource(nameof(Long))] string text)
    {
        var body = await SendAsync("pagerduty", ChannelSample.Message(ChannelSample.Hostile(text)));
        Assert.That((string?)body["payload"]!["summary"], Has.Length.LessThanOrEqualTo(1024));
        Assert.That(_receiver.Received[0].Body, Has.Length.LessThan(512_000));
    }

    [TestCase("slack")]
    [TestCase("discord")]
    [TestCase("telegram")]
    [TestCase("pagerduty")]
    public async Task Storm_names_the_gravest_and_counts_the_rest(string channel)
    {
        var body = await SendAsync(channel, ChannelSample.Storm(500));
        Assert.That(string.Join('\n', Texts(body)),
            Does.Contain(channel == "pagerduty" ? "400 events" : "500 events").And.Contain("CRITICAL: COIN4 "));
        if (channel != "pagerduty")
            Assert.That(string.Join('\n', Texts(body)), Does.Contain("… and "));
    }

    [TestCase(5, "abcde", "abcde")]
    [TestCase(4, "abcde", "abc…")]
    [TestCase(1, "abcde", "…")]
    [TestCase(3, "a🎉b", "a…")]
    [TestCase(4, "a🎉b", "a🎉b")]
    public void Cut_leaves_characters_whole(int limit, string text, string cut) =>
        Assert.That(ChannelText.Cut(text, limit), Is.EqualTo(cut));

    [Test]
    public async Task Pause_that_a_service_asks_for_holds_for_the_next_message()
    {
        _receiver.AnswerWith(429, "", ("Retry-After", "7"));
        await using var channels = ChannelSample.Channels(_receiver.Url, _clock);
        var (slack, message) = (channels.Named("slack"), ChannelSample.Message(ChannelSample.Loss()));
        await slack.SendAsync(message, default);
        _receiver.AnswerWith(200, "ok");
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.That((await slack.SendAsync(message, default) as DeliveryOutcome.Retry)?.After, Is.EqualTo(TimeSpan.FromSeconds(1)));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await slack.SendAsync(message, default), Is.EqualTo(new DeliveryOutcome.Delivered()));
        Assert.That(_receiver.Received, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task PagerDuty_goes_on_where_it_was_refused()
    {
        _receiver.Answer = (_, http) =>
        {
            http.Response.StatusCode = _receiver.Received.Count == 3 ? 429 : 202;
            return http.Response.WriteAsync(ReceiverUnderTest.Accepted);
        };
        await using var channels = ChannelSample.Channels(_receiver.Url, _clock);
        var message = ChannelSample.Message([.. Enumerable.Range(1, 5).Select(number => ChannelSample.Loss(number: number))]);
        Assert.That(await channels.Named("pagerduty").SendAsync(message, default), Is.TypeOf<DeliveryOutcome.Retry>());
        Assert.That(await channels.Named("pagerduty").SendAsync(message, default), Is.EqualTo(new DeliveryOutcome.Delivered()));
        Assert.That(_receiver.Received, Has.Count.EqualTo(6));
    }

    [Test]
    public async Task Webhook_is_signed_as_documented()
    {
        await SendAsync("webhook", ChannelSample.Message(ChannelSample.Loss()));
        var request = _receiver.Received[0];
        using var hmac = new HMACSHA256(Encoding.UTF8.GetBytes(ChannelSample.Secret));
        var expected = hmac.ComputeHash(
            Encoding.UTF8.GetBytes($"{request.Headers["webhook-id"]}.{request.Headers["webhook-timestamp"]}.{request.Text}"));
        Assert.That(request.Headers["webhook-signature"], Is.EqualTo("v1," + Convert.ToBase64String(expected)));
        Assert.That(request.Headers["webhook-timestamp"], Is.EqualTo($"{ManualClock.Noon.ToUnixTimeSeconds()}"));
    }

    [TestCase("WEBHOOK_SECRET", "0123456789abcdef", "WEBHOOK_URL: is not set")]
    [TestCase("WEBHOOK_SECRET", "short", "WEBHOOK_SECRET: is too short")]
    [TestCase("WEBHOOK_SECRET", "whsec_c2hvcnQ=", "WEBHOOK_SECRET: is too short")]
    [TestCase("SLACK_WEBHOOK_URL", "hooks.slack.example/hunter2", "SLACK_WEBHOOK_URL: is not allowed")]
    [TestCase("DISCORD_WEBHOOK_URL", "https://u:hunter2@discord.example/", "DISCORD_WEBHOOK_URL: is not allowed")]
    [TestCase("TELEGRAM_CHAT_ID", "5", "TELEGRAM_BOT_TOKEN: is not set")]
    [TestCase("TELEGRAM_BOT_TOKEN", "hunter2", "TELEGRAM_BOT_TOKEN: is not allowed")]
    [TestCase("PAGERDUTY_ROUTING_KEY", "hunter2", "PAGERDUTY_ROUTING_KEY: is not allowed")]
    [TestCase("SMTP_URL", "smtp://u:hunter2@h", "ADMIN_EMAIL: is not set")]
    [TestCase("ADMIN_EMAIL", "a@b", "SMTP_URL: is not set")]
    [TestCase("ADMIN_EMAIL", "nobody", "ADMIN_EMAIL: 'nobody' is not allowed")]
    public void Half_or_malformed_channel_stops_the_start(string name, string value, string fault) =>
        Assert.That(Assert.Throws<ConfigurationFaultException>(() => ChannelSample.Read((name, value)))!.Faults,
            Has.Some.StartsWith(fault).And.None.Contains("hunter2"));

    [TestCase("smtps://h:465?starttls=off")]
    [TestCase("mail://h")]
    [TestCase("smtp://u:hunter2@mail.example.org?starttls=off")]
    public void Mail_that_cannot_be_sent_safely_is_refused(string url) =>
        Assert.That(Assert.Throws<ConfigurationFaultException>(() => ChannelSample.Read(("SMTP_URL", url), ("ADMIN_EMAIL", "a@b")))!.Faults,
            Has.One.StartsWith("SMTP_URL: ").And.None.Contains("hunter2"));
}
