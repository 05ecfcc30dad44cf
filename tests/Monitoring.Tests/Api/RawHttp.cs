using System.Net.Sockets;
using System.Text;

namespace Monitoring.Tests.Api;

/// <summary>What came back for bytes that no client library would send. Status 0: the connection was closed without a word.</summary>
internal sealed record RawAnswer(int Status, string Head, string Body);

/// <summary>Sends bytes as they are on a connection of their own.</summary>
internal static class RawHttp
{
    public static async Task<RawAnswer> SendAsync(Uri service, byte[] request)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(service.Host, service.Port);
        var stream = client.GetStream();
        var answer = new MemoryStream();
        try
        {
            await stream.WriteAsync(request);
            var buffer = new byte[16 * 1024];
            while (await stream.ReadAsync(buffer) is var count and > 0)
            {
                answer.Write(buffer, 0, count);
                if (answer.Length <= buffer.Length && Encoding.Latin1.GetString(answer.ToArray()).Contains("text/event-stream"))
                    break; // it would never end
            }
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            // refused in the middle of it; what came before counts
        }

        var text = Encoding.Latin1.GetString(answer.ToArray());
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return text.Length >= 12 && text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)
            ? new RawAnswer(int.Parse(text.AsSpan(9, 3)), end < 0 ? text : text[..end], end < 0 ? "" : text[end..])
            : new RawAnswer(0, "", "");
    }
}
