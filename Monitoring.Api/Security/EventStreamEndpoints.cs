using System.Globalization;
using System.Text;
using Microsoft.OpenApi;
using Monitoring.Api.Access;
using Monitoring.Api.Http;
using Monitoring.Data.Database;

namespace Monitoring.Api.Security;

/// <summary>The route of the stream of all changes.</summary>
internal static class EventStreamEndpoints
{
    private static readonly LastEventIdParameter LastEventId = new();

    public static void MapEventStream(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/security/events/stream", StreamEvents).WithName(nameof(StreamEvents)).WithTags("Security events")
            .WithParameters(LastEventId).WithMetadata(new PacesItself()).Produces<EventChangeMessage>(200, EventStream.ContentType);

    /// <summary>
    /// Every change of every event as a server-sent event, in order; none is skipped or repeated when a client comes
    /// back with the last id it saw.
    /// </summary>
    /// <remarks>
    /// The id of a message is the change's number, its kind is opened, escalated, worsened, flapping, reminded, acknowledged, silenced,
    /// resolved or expired, its data the change and the event as it is now. Without Last-Event-ID the stream begins with the next change.
    /// Three further kinds: `removed` (changes that are no longer kept: from_seq, to_seq), `reset` (the database was
    /// put back, by a restore or a fail-over: asked_for, the position until then, and newest; ask anew for what you
    /// keep) and `database` (whether the database answers: available).
    /// </remarks>
    internal static async Task<IResult> StreamEvents(
        HttpContext context, ChangeFeed feed, StreamPlaces places, TimeProvider clock, IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken)
    {
        if (places.TryEnter(context.Caller(), out var place) is { } refusal)
        {
            context.Response.Headers.RetryAfter = "10";
            return refusal;
        }

        context.Response.RegisterForDispose(place!);
        var reset = feed.Reset; // before the number is read, or one between them would go unsaid
        var lastId = LastEventId.Find(context.Request);
        return new EventStream(feed, reset, clock, lifetime, lastId, await feed.FindNewestSeqAsync(lastId ?? 0, cancellationToken));
    }
}

/// <summary>The header with which a client of an event stream comes back.</summary>
internal sealed class LastEventIdParameter()
    : QueryParameter("Last-Event-ID", "The id of the last message seen; the stream goes on after it. 0 begins with the first change kept.")
{
    public override ParameterLocation In => ParameterLocation.Header;

    public override OpenApiSchema Schema =>
        new() { Type = JsonSchemaType.Integer, Format = "int64", Minimum = "0", Maximum = "999999999999999999" };

    public override string? FindProblem(string text) =>
        Parse(text) is null ? "must be the id of a message of this stream: a whole number of at most 18 digits" : null;

    /// <summary>The id given, or null. A client that has seen none yet may send an empty one.</summary>
    public long? Find(HttpRequest request) =>
        request.Headers.TryGetValue(Name, out var values) && values.ToString() is { Length: > 0 } text ? Parse(text) : null;

    private static long? Parse(string text) =>
        text.Length is > 0 and <= 18 && text.All(char.IsAsciiDigit)
            ? long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)
            : null;
}

/// <summary>One client's stream. It holds a position and nothing else: what the client is too slow to take stays in the table.</summary>
internal sealed class EventStream(
    ChangeFeed feed, FeedReset reset, TimeProvider clock, IHostApplicationLifetime lifetime, long? lastEventId, long newestSeq) : IResult
{
    public const string ContentType = "text/event-stream";

    private const int RetryMilliseconds = 2000;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(15);

    private long _seq = Math.Min(lastEventId ?? newestSeq, newestSeq);
    private FeedReset _reset = reset;
    private bool _available = true;

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, lifetime.ApplicationStopping);
        var response = httpContext.Response;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // a proxy must not wait for more
        Interlocked.Increment(ref feed.Streams);
        try
        {
            await WriteAsync(response, ServerSentEvent.Position(_seq, RetryMilliseconds), end.Token);
            if (lastEventId > newestSeq)
                await WriteAsync(response, ResetNote(lastEventId.Value, newestSeq), end.Token);
            while (!httpContext.IsHead())
                await StepAsync(response, end.Token);
        }
        catch (TimeoutException)
        {
            httpContext.Abort(); // it does not read: what waits for it must not grow, and it gets all when it comes back
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // the client left, or the service stops
        }
        finally
        {
            Interlocked.Decrement(ref feed.Streams);
        }
    }

    private async Task StepAsync(HttpResponse response, CancellationToken end)
    {
        var moved = feed.Moved;
        await SayWhetherAvailableAsync(response, feed.IsAvailable, end);
        await SayWhetherPutBackAsync(response, feed.Reset, end);
        IReadOnlyList<FeedItem> items = [];
        try
        {
            items = await feed.ReadAfterAsync(_seq, end);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            await SayWhetherAvailableAsync(response, available: false, end);
            await response.Body.FlushAsync(end);
            await Task.Delay(Retry, clock, end);
            return;
        }

        foreach (var item in items)
        {
            if (item.Seq > _seq + 1)
                await WriteAsync(
                    response, Note(item.Seq - 1, "removed", $$"""{"from_seq":{{_seq + 1}},"to_seq":{{item.Seq - 1}}}"""), end);
            await WriteAsync(response, item.Bytes, end);
            _seq = item.Seq;
        }

        await response.Body.FlushAsync(end);
        if (items.Count == 0 && !await EndsWithinAsync(moved, end))
            await WriteAsync(response, ServerSentEvent.Heartbeat, end);
    }

    private Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> bytes, CancellationToken end) =>
        response.Body.WriteAsync(bytes, end).AsTask().WaitAsync(WriteDeadline, clock, end);

    private async Task SayWhetherAvailableAsync(HttpResponse response, bool available, CancellationToken end)
    {
        if (_available == available)
            return;
        _available = available;
        await WriteAsync(response, Note(null, "database", $$"""{"available":{{(available ? "true" : "false")}}}"""), end);
    }

    private async Task SayWhetherPutBackAsync(HttpResponse response, FeedReset reset, CancellationToken end)
    {
        if (_reset.Count == reset.Count)
            return;
        _reset = reset;
        var askedFor = _seq;
        _seq = Math.Min(_seq, reset.Newest);
        await WriteAsync(response, ResetNote(askedFor, reset.Newest), end);
    }

    private async Task<bool> EndsWithinAsync(Task moved, CancellationToken end)
    {
        try
        {
            await moved.WaitAsync(Heartbeat, clock, end);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private byte[] ResetNote(long askedFor, long newest) => Note(_seq, "reset", $$"""{"asked_for":{{askedFor}},"newest":{{newest}}}""");

    private static byte[] Note(long? id, string kind, string json) => ServerSentEvent.Write(id, kind, Encoding.UTF8.GetBytes(json));
}
