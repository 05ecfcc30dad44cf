using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Monitoring.Benchmarks;

/// <summary>
/// When a connection is cut: before the COMMIT reaches the server, right after it was sent on, or when the
/// server's answer to it is there.
/// </summary>
internal enum CommitCut { Before, Sent, Answered }

/// <summary>
/// A gate in front of a server: open it passes every byte, closed it resets what is connected and refuses what comes.
/// It can cut a PostgreSQL connection at a COMMIT.
/// </summary>
internal sealed class TcpGate : IAsyncDisposable
{
    private static readonly byte[] Commit = "COMMIT\0"u8.ToArray();

    private readonly IPEndPoint _server;
    private readonly ConcurrentDictionary<Socket, bool> _sockets = [];
    private TcpListener? _listener;
    private TaskCompletionSource<bool>? _cutDone;
    private CommitCut _cut;
    private bool _closesAfterCut;
    private volatile TaskCompletionSource _flow = new();

    public TcpGate(string host, int port)
    {
        _server = new IPEndPoint(host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(host), port);
        Open();
        Thaw();
    }

    /// <summary>The port to connect to; the same after it was closed and opened.</summary>
    public int Port { get; private set; }

    public void Open()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync(_listener);
    }

    public void Close()
    {
        _listener?.Stop();
        _listener = null;
        ResetAll();
    }

    /// <summary>
    /// From now on it takes connections and bytes and passes none on, as a server that hangs or a network that drops packets.
    /// </summary>
    public void Freeze() => _flow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Passes on what came meanwhile, and what comes.</summary>
    public void Thaw() => _flow.TrySetResult();

    /// <summary>Resets what is connected; new connections are let through.</summary>
    public void ResetAll()
    {
        foreach (var socket in _sockets.Keys)
            Reset(socket);
        _sockets.Clear();
    }

    /// <summary>
    /// Resets the connection that is next to commit, at that moment of its COMMIT, and closes the gate with it if asked
    /// to. Ends when that has happened; true then.
    /// </summary>
    public Task<bool> CutNextCommitAsync(CommitCut cut, CancellationToken cancellationToken, bool andClose = false)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        (_cut, _closesAfterCut) = (cut, andClose);
        _cutDone = done;
        return done.Task.WaitAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0); // reset, as a server that dies does
            socket.Close();
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // it had ended by itself
        }
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
                _ = ForwardAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // closed
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        var server = new TcpClient();
        var (inner, outer) = (server.Client, client.Client);
        _sockets[inner] = _sockets[outer] = true;
        var pair = new Pair(client, server);
        try
        {
            await server.ConnectAsync(_server);
            await Task.WhenAny(ToServerAsync(pair), ToClientAsync(pair));
        }
        catch (Exception fault) when (fault is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // one side went away
        }
        finally
        {
            _sockets.TryRemove(inner, out _);
            _sockets.TryRemove(outer, out _);
            client.Dispose();
            server.Dispose();
            pair.CutAtAnswer?.TrySetResult(true); // the client died before the answer came: cut all the same
        }
    }

    private async Task ToServerAsync(Pair pair)
    {
        var buffer = new byte[81920];
        while (await pair.Client.GetStream().ReadAsync(buffer) is > 0 and var read)
        {
            await _flow.Task;
            var done = buffer.AsSpan(0, read).IndexOf(Commit) >= 0 ? Interlocked.Exchange(ref _cutDone, null) : null;
            if (done is not null && _cut == CommitCut.Answered)
                pair.CutAtAnswer = done;
            if (done is null || _cut != CommitCut.Before)
                await pair.Server.GetStream().WriteAsync(buffer.AsMemory(0, read));
            if (done is not null && _cut != CommitCut.Answered)
                Cut(pair, done);
        }
    }

    private async Task ToClientAsync(Pair pair)
    {
        var buffer = new byte[81920];
        while (await pair.Server.GetStream().ReadAsync(buffer) is > 0 and var read)
        {
            await _flow.Task;
            if (pair.CutAtAnswer is { } done)
                Cut(pair, done);
            else
                await pair.Client.GetStream().WriteAsync(buffer.AsMemory(0, read));
        }
    }

    private void Cut(Pair pair, TaskCompletionSource<bool> done)
    {
        if (_closesAfterCut)
            Close();
        Reset(pair.Client.Client);
        Reset(pair.Server.Client);
        done.TrySetResult(true);
    }

    private sealed record Pair(TcpClient Client, TcpClient Server)
    {
        public volatile TaskCompletionSource<bool>? CutAtAnswer;
    }
}
