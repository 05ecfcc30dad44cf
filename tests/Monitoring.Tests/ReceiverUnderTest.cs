using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Monitoring.Tests;

/// <summary>One request as the receiver saw it.</summary>
internal sealed record ReceivedRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);
}

/// <summary>A web server on this machine that notes every request, in order, and answers as a test says.</summary>
internal sealed class ReceiverUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedRequest> _received = new();
    private readonly SemaphoreSlim _arrived = new(0);

    private ReceiverUnderTest()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Run(ReceiveAsync);
    }

    /// <summary>An answer that proves to every channel that its message was taken.</summary>
    public const string Accepted = """{"ok":true,"id":"1","status":"success"}""";

    /// <summary>Starts it on a free port; it accepts everything.</summary>
    public static async Task<ReceiverUnderTest> StartAsync()
    {
        var receiver = new ReceiverUnderTest();
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Its address, without a slash at the end.</summary>
    public string Url => _app.Urls.First();

    /// <summary>What has arrived, in order.</summary>
    public IReadOnlyList<ReceivedRequest> Received => [.. _received];

    /// <summary>What it answers; it may wait for ever on <c>RequestAborted</c>, or break off with <c>Abort</c>.</summary>
    public Func<ReceivedRequest, HttpContext, Task> Answer { get; set; } = (_, http) => http.Response.WriteAsync(Accepted);

    /// <summary>Lets it answer a status, a body and headers to everything.</summary>
    public void AnswerWith(int status, string body = "", params (string Name, string Value)[] headers) => Answer = (_, http) =>
    {
        http.Response.StatusCode = status;
        foreach (var (name, value) in headers)
            http.Response.Headers[name] = value;
        return http.Response.WriteAsync(body);
    };

    /// <summary>Waits until one more request has arrived than was waited for before.</summary>
    public async Task WaitForNextAsync()
    {
        if (!await _arrived.WaitAsync(TimeSpan.FromSeconds(60))) // ends a test that would hang
            throw new AssertionException($"no further request; {_received.Count} have arrived");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _arrived.Dispose();
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var request = new ReceivedRequest(http.Request.Method, http.Request.Path + http.Request.QueryString,
            http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        _received.Enqueue(request);
        _arrived.Release();
        await Answer(request, http);
    }
}
