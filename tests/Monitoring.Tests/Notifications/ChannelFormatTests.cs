using System.Text.Json;
using System.Text.RegularExpressions;
using Monitoring.Worker.Notifications;

namespace Monitoring.Tests.Notifications;

/// <summary>The bytes that go out over HTTP, against committed ones and against each service's documented limits.</summary>
public sealed partial class ChannelFormatTests
{
    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Cases = ["opened", "escalated", "acknowledged", "resolved", "grouped", "test"];

    private ReceiverUnderTest _receiver = null!;

    [SetUp]
    public async Task Start() => _receiver = await ReceiverUnderTest.StartAsync();

    [TearDown]
    public async Task Stop() => await _receiver.DisposeAsync();

    private async Task<IReadOnlyList<ReceivedRequest>> SendAsync(string channel, NotificationMessage message)
    {
        await using var channels = ChannelSample.Channels(_receiver.Url, new ManualClock(ManualClock.Noon));
        Assert.That(await channels.Named(channel).SendAsync(message, default), Is.EqualTo(new DeliveryOutcome.Delivered()));
        return _receiver.Received;
    }

    [Test]
    public async Task Messages_are_the_committed_bytes(
        [ValueSource(typeof(ChannelSample), nameof(ChannelSample.OverHttp))] string channel, [ValueSource(nameof(Cases))] string message)
    {
        var requests = await SendAsync(channel, ChannelSample.Case(message));
        Snapshot.Matches($"tests/Monitoring.Tests/Notifications/Golden/{channel}-{message}.txt", string.Join("\n", requests.Select(Show)));
    }

    private static string Show(ReceivedRequest request) => $"{request.Method} {request.Target}\n"
        + string.Concat(request.Headers.Where(header => header.Key is not ("Host" or "Content-Length"))
            .OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase)
            .Select(header => $"{header.Key}: {header.Value}\n"))
        + $"\n{EscapedEmoji().Replace(Indent(request.Body), emoji => Regex.Unescape(emoji.Value))}\n";

    private static string Indent(byte[] json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement, Readable);

    [GeneratedRegex(@"(\\u[0-9A-F]{4}){2}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex EscapedEmoji();
}
