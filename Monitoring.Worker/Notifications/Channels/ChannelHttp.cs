using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Monitoring.Data.Logging;
using Monitoring.Worker.Http;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>
/// Posts JSON to a service once and turns the answer into an outcome: 2xx with the service's own proof of acceptance is delivered; 2xx
/// without it, 408, 425, 429, 5xx, silence and faults of the connection are worth another attempt; anything else, redirects too, is refused
/// for good. Addresses hold secrets: they are neither logged nor named in reasons.
/// </summary>
internal sealed class ChannelHttp(IHttpClientFactory factory, TimeProvider clock)
{
    /// <summary>Name of the configured <see cref="HttpClient"/>.</summary>
    public const string ClientName = "notification channels";

    /// <summary>How long one attempt may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private const int MostOfAnswer = 64 * 1024; // Discord and Telegram repeat the message in it
    private const int MostOfReason = 300;
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>
    /// The same within a service's limit of rate: a refusal for rate pauses the channel, and while it lasts nothing is sent.
    /// </summary>
    public async Task<DeliveryOutcome> PostPacedAsync(
        Pacing pacing, Uri address, byte[] json, string secret, Acceptance accepts, CancellationToken cancellationToken)
    {
        if (await pacing.WaitAsync(cancellationToken) is { } pause)
            return new DeliveryOutcome.Retry("not sent: the service has asked for a pause", pause);
        var outcome = await PostAsync(address, json, [], secret, accepts, cancellationToken);
        if (outcome is DeliveryOutcome.Retry { After: { } after })
            pacing.Pause(after);
        return outcome;
    }

    /// <summary>Makes one attempt. <paramref name="secret"/>, where an answer repeats it, is left out of the reason.</summary>
    public async Task<DeliveryOutcome> PostAsync(
        Uri address, byte[] json, IReadOnlyList<(string Name, string Value)> headers, string secret, Acceptance accepts,
        CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(json) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        try
        {
            using var client = factory.CreateClient(ClientName);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var answer = await HttpAnswers.ReadBeginningAsync(response, MostOfAnswer, either.Token);
            if (response.IsSuccessStatusCode && accepts(answer))
                return new DeliveryOutcome.Delivered();
            cancellationToken.ThrowIfCancellationRequested();
            return Judge(response, answer, address, secret);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return new DeliveryOutcome.Retry(Clean(fault.GetBaseException().Message, address, secret));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DeliveryOutcome.Retry($"no answer within {Deadline.TotalSeconds:0} s");
        }
    }

    private DeliveryOutcome Judge(HttpResponseMessage response, byte[] answer, Uri address, string secret)
    {
        var status = (int)response.StatusCode;
        var text = Clean(Encoding.UTF8.GetString(answer), address, secret);
        var reason = text.Length == 0 ? $"HTTP {status}" : $"HTTP {status}: {text}";
        if (response.IsSuccessStatusCode)
            return new DeliveryOutcome.Retry(
                $"the answer does not say that the message was accepted: {reason}", FindWait(response, answer));
        if (status is 408 or 425 or 429 or >= 500)
            return new DeliveryOutcome.Retry(reason, FindWait(response, answer));
        return new DeliveryOutcome.Dead(status is >= 300 and < 400
            ? $"HTTP {status}: a redirect, which is not followed; set the address that it leads to"
            : reason);
    }

    // Retry-After as a header; beside it Discord answers {"retry_after":0.7} and Telegram {"parameters":{"retry_after":7}}.
    private TimeSpan? FindWait(HttpResponseMessage response, byte[] answer)
    {
        var header = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - (response.Headers.Date ?? clock.GetUtcNow()),
            _ => (TimeSpan?)null,
        };
        var body = FindWait(answer);
        var wait = header > body || body is null ? header : body;
        return wait is not { } known ? null : known < TimeSpan.Zero ? TimeSpan.Zero : known > LongestWait ? LongestWait : known;
    }

    private static TimeSpan? FindWait(byte[] answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("parameters", out var parameters))
                root = parameters;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("retry_after", out var seconds)
                && seconds.ValueKind == JsonValueKind.Number && seconds.TryGetDouble(out var wait) && double.IsFinite(wait)
                ? TimeSpan.FromSeconds(Math.Clamp(wait, 0, LongestWait.TotalSeconds))
                : null;
        }
        catch (JsonException)
        {
            return null; // a page of a proxy, or cut
        }
    }

    private static string Clean(string text, Uri address, string secret) => ChannelText.Cut(
        PlainText.OneLine(AddressSecrets.Strike(text.Replace(secret, "***", StringComparison.Ordinal), address)), MostOfReason);
}
