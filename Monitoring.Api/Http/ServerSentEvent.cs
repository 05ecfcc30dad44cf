using System.Globalization;
using System.Text;

namespace Monitoring.Api.Http;

/// <summary>Messages of an event stream, as the HTML standard (server-sent events) writes them.</summary>
internal static class ServerSentEvent
{
    /// <summary>A line that clients ignore: keeps the connection alive and shows that it is.</summary>
    public static readonly byte[] Heartbeat = ":\n\n"u8.ToArray();

    /// <summary>Sets the id that a client gives when it comes back, without being a message.</summary>
    public static byte[] Position(long id, int retryMilliseconds) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"retry: {retryMilliseconds}\nid: {id}\n\n"));

    /// <summary>A message; its data is JSON in one line. Without an id it does not move the client's position.</summary>
    public static byte[] Write(long? id, string kind, ReadOnlySpan<byte> data)
    {
        var head = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{(id is null ? "" : $"id: {id}\n")}event: {kind}\ndata: "));
        return [.. head, .. data, .. "\n\n"u8];
    }
}
