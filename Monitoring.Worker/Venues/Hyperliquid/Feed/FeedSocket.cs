using System.Net.WebSockets;
using System.Text;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>What came: a text, or something that is not read, or the end.</summary>
internal enum FeedMessageKind { Text, Binary, TooLarge, Closed }

/// <summary>A whole message. <paramref name="Text"/> is valid until the next is received.</summary>
internal readonly record struct FeedMessage(FeedMessageKind Kind, ReadOnlyMemory<byte> Text);

/// <summary>One connection to the websocket: whole messages in and out, none larger than what memory is for.</summary>
internal class FeedSocket : IDisposable
{
    private const int FirstBuffer = 64 << 10;

    /// <summary>A snapshot of 2,000 fills is below one megabyte.</summary>
    private const int LargestText = 8 << 20;

    /// <summary>Past this a message has no end, and the connection no use.</summary>
    private const int LargestDrained = 64 << 20;

    /// <summary>Who does not take a short message within this time does not listen.</summary>
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private byte[] _buffer = new byte[FirstBuffer];

    public FeedSocket() => _socket.Options.KeepAliveInterval = TimeSpan.Zero; // the venue wants pings of its own kind

    /// <summary>Opens the connection.</summary>
    /// <exception cref="WebSocketException">It was refused.</exception>
    public virtual Task ConnectAsync(Uri url, CancellationToken cancellationToken) => _socket.ConnectAsync(url, cancellationToken);

    /// <summary>Sends one text.</summary>
    public virtual async Task SendAsync(string text, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            end.CancelAfter(SendTimeout);
            await _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, end.Token);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Waits for the next message; of one that is too large the text is let go.</summary>
    public virtual async Task<FeedMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        var (length, drained) = (0, 0L);
        while (true)
        {
            if (length == _buffer.Length && length < LargestText)
                Array.Resize(ref _buffer, Math.Min(2 * length, LargestText));
            if (length == _buffer.Length)
                (length, drained) = (0, drained + length);
            if (drained > LargestDrained)
                throw new WebSocketException(WebSocketError.Faulted, $"a message of more than {LargestDrained >> 20} MiB");
            var received = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            length += received.Count;
            if (received.MessageType == WebSocketMessageType.Close)
                return new FeedMessage(FeedMessageKind.Closed, default);
            if (!received.EndOfMessage)
                continue;
            return received.MessageType == WebSocketMessageType.Binary ? new FeedMessage(FeedMessageKind.Binary, default)
                : drained > 0 ? new FeedMessage(FeedMessageKind.TooLarge, default)
                : new FeedMessage(FeedMessageKind.Text, _buffer.AsMemory(0, length));
        }
    }

    /// <summary>Says goodbye, if the other side still listens; waits for no answer.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        if (_socket.State == WebSocketState.Open)
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _sending.Dispose();
    }
}
