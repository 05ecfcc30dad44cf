using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Monitoring.Benchmarks.Faults;

/// <summary>What the receiver does with a message: takes it, or fails in one of the ways that receivers fail.</summary>
internal enum ReceiverMode { Takes, Answers500, Answers429, Hangs, ClosesEarly, IsDown }

/// <summary>One request that reached the receiver. Taken: it was answered 200 to the last byte.</summary>
internal sealed record ReceivedMessage(string Body, DateTimeOffset At, bool Taken);

/// <summary>Whoever listens behind <c>WEBHOOK_URL</c>: keeps every message, and fails on demand.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedMessage> _messages = [];
    private TcpGate _gate = null!;
    private volatile ReceiverMode _mode;
    private CancellationTokenSource _hanging = new();

    private Receiver(WebApplication app) => _app = app;

    /// <summary>The value for <c>WEBHOOK_URL</c>.</summary>
    public string Url => $"http://127.0.0.1:{_gate.Port}/hook";

    /// <summary>Every request so far, in the order of arrival.</summary>
    public IReadOnlyList<ReceivedMessage> Messages => [.. _messages];

    /// <summary>Called with each message that was taken.</summary>
    public Action<ReceivedMessage>? OnTaken { get; set; }

    public static async Task<Receiver> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore().Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        var receiver = new Receiver(builder.Build());
        receiver._app.MapPost("/hook", receiver.TakeAsync);
        await receiver._app.StartAsync(cancellationToken);
        receiver._gate = new TcpGate("127.0.0.1", new Uri(receiver._app.Urls.First()).Port);
        return receiver;
    }

    /// <summary>From now on it behaves like this; requests that hang are let go.</summary>
    public void Become(ReceiverMode mode)
    {
        if (_mode == ReceiverMode.IsDown && mode != ReceiverMode.IsDown)
            _gate.Open();
        if (_mode != ReceiverMode.IsDown && mode == ReceiverMode.IsDown)
            _gate.Close();
        _mode = mode;
        Interlocked.Exchange(ref _hanging, new CancellationTokenSource()).Cancel();
    }

    public async ValueTask DisposeAsync()
    {
        Become(ReceiverMode.Takes);
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _gate.DisposeAsync();
        _hanging.Dispose();
    }

    private async Task TakeAsync(HttpContext http)
    {
        var mode = _mode;
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        switch (mode)
        {
            case ReceiverMode.Answers500:
                http.Response.StatusCode = StatusCodes.Status500InternalServerError;
                break;
            case ReceiverMode.Answers429:
                http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                http.Response.Headers.RetryAfter = "1";
                break;
            case ReceiverMode.Hangs:
                using (var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _hanging.Token))
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, end.Token)
                        .ContinueWith(_ => { }, TaskScheduler.Default);
                http.Abort();
                break;
            case ReceiverMode.ClosesEarly or ReceiverMode.IsDown:
                http.Abort();
                break;
            default:
                await http.Response.CompleteAsync();
                break;
        }

        var message = new ReceivedMessage(body, TimeProvider.System.GetUtcNow(), mode == ReceiverMode.Takes);
        _messages.Enqueue(message);
        if (message.Taken)
            OnTaken?.Invoke(message);
    }
}
