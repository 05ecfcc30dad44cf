using System.Net.Sockets;
using System.Text;

namespace Monitoring.Benchmarks.Load;

/// <summary>
/// Everybody who is not kind to a service, at once and from this machine alone: silent connections, slow headers and bodies, streams of
/// which half are never read, and a flood of requests.
/// </summary>
internal sealed class Crowd(Uri service, IReadOnlyList<string> keys) : IDisposable
{
    private const int Silent = 5000;
    private const int Slow = 50;
    private const int Streams = 700;
    private const int RequestsPerSecond = 2000;
    private const int Flooders = 20;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly List<TcpClient> _clients = [];
    private long _asked;

    /// <summary>Requests of the flood that were answered, whatever with.</summary>
    public long Asked => Volatile.Read(ref _asked);

    /// <summary>Goes on until it is cancelled; what is closed is opened again.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll([
        .. Enumerable.Range(0, 10).Select(_ => HoldSilentAsync(Silent / 10, cancellationToken)),
        .. Enumerable.Range(0, Slow).Select(_ => DripAsync("GET /security/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", cancellationToken)),
        .. Enumerable.Range(0, Slow).Select(_ => DripAsync("POST /security/silences HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + $"X-API-Key: {keys[0]}\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n", cancellationToken)),
        .. Enumerable.Range(0, Streams).Select(i => StreamAsync(keys[i % keys.Count], reads: i % 2 == 0, cancellationToken)),
        .. Enumerable.Range(0, Flooders).Select(_ => FloodAsync(cancellationToken)),
    ]);

    public void Dispose()
    {
        lock (_clients)
            foreach (var client in _clients)
                client.Dispose();
    }

    private async Task<TcpClient> ConnectAsync(CancellationToken cancellationToken)
    {
        var client = new TcpClient { NoDelay = true };
        lock (_clients)
            _clients.Add(client);
        await client.ConnectAsync(service.Host, service.Port, cancellationToken);
        return client;
    }

    private async Task HoldSilentAsync(int count, CancellationToken cancellationToken)
    {
        for (var i = 0; i < count; i++)
            await TryAsync(() => ConnectAsync(cancellationToken), cancellationToken);
        await WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken);
    }

    // A byte a second, and again from the beginning when the service has enough of it.
    private Task DripAsync(string beginning, CancellationToken cancellationToken) => AgainAsync(async () =>
    {
        using var client = await ConnectAsync(cancellationToken);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(beginning), cancellationToken);
        while (!cancellationToken.IsCancellationRequested)
        {
            await client.GetStream().WriteAsync("x"u8.ToArray(), cancellationToken);
            await WaitAsync(Second, cancellationToken);
        }
    }, cancellationToken);

    private Task StreamAsync(string key, bool reads, CancellationToken cancellationToken) => AgainAsync(async () =>
    {
        using var client = await ConnectAsync(cancellationToken);
        var request = $"GET /security/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\nLast-Event-ID: 0\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
        if (!reads)
            await WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken);
        var buffer = new byte[16 * 1024];
        while (await client.GetStream().ReadAsync(buffer, cancellationToken) > 0)
        {
        }
    }, cancellationToken);

    private async Task FloodAsync(CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = service };
        using var pace = new PeriodicTimer(Second / (RequestsPerSecond / Flooders), TimeProvider.System);
        while (!cancellationToken.IsCancellationRequested)
            await TryAsync(async () =>
            {
                await pace.WaitForNextTickAsync(cancellationToken);
                using var answer = await http.GetAsync("/security/dashboard", cancellationToken);
                Interlocked.Increment(ref _asked);
            }, cancellationToken);
    }

    private static async Task AgainAsync(Func<Task> act, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await TryAsync(act, cancellationToken);
            await WaitAsync(Second, cancellationToken);
        }
    }

    private static async Task TryAsync(Func<Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act();
        }
        catch (Exception fault) when (fault is IOException or SocketException or HttpRequestException
            || (fault is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            // refused or cut, which is what the service should do
        }
    }

    private static async Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(time, TimeProvider.System, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // the end
        }
    }
}
