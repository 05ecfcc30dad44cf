using System.Text;

namespace Monitoring.Worker.Http;

/// <summary>What is read of answers that hold no data but a yes or a no.</summary>
internal static class HttpAnswers
{
    /// <summary>
    /// The beginning of an answer, at most so many bytes. The status is known by then, so a body that breaks off is no fault: the part that
    /// came is returned.
    /// </summary>
    public static async Task<byte[]> ReadBeginningAsync(HttpResponseMessage response, int most, CancellationToken cancellationToken)
    {
        var buffer = new byte[most];
        var length = 0;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            while (length < buffer.Length && await stream.ReadAsync(buffer.AsMemory(length), cancellationToken) is var read and > 0)
                length += read;
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException)
        {
            // The part that came is enough.
        }

        return buffer[..length];
    }

    /// <summary>
    /// Whether it is a page for people, such as the sign-in page of a network or a proxy, which comes with status 200 for any request.
    /// </summary>
    public static bool IsPage(byte[] answer)
    {
        var text = Encoding.UTF8.GetString(answer).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        return text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase);
    }
}
