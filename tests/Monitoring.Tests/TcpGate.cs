using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Monitoring.Tests;

/// <summary>A gate in front of a server: open it passes every byte, closed it resets what is connected and refuses what comes.</summary>
internal sealed class TcpGate : IAsyncDisposable
{
    private readonly IPEndPoint _server;
    private readonly ConcurrentDictionary<Socket, bool> _sockets = [];
    private TcpListener? _listener;

    public TcpGate(string host, int port)
    {
        _server = new IPEndPoint(host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(host), port);
        Open();
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
        foreach (var socket in _sockets.Keys)
            Reset(socket);
        _sockets.Clear();
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
        try
        {
            await server.ConnectAsync(_server);
            await Task.WhenAny(client.GetStream().CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(client.GetStream()));
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
        }
    }
}
