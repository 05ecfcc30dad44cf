using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Monitoring.Data.Checks;

namespace Monitoring.Api.Http;

/// <summary>
/// Where a list goes on, and the window it was begun with: a window of "the last hours" must not move while it is paged through. One that
/// ends now has no <paramref name="Until"/>, which is written as the end of time.
/// </summary>
internal sealed record Cursor<TPosition>(DateTimeOffset Since, DateTimeOffset Until, TPosition After)
{
    /// <summary>The place after a row of a list over a window.</summary>
    public static Cursor<TPosition> Of(Window window, TPosition after) =>
        new(window.Since, window.End.Until ?? DateTimeOffset.MaxValue, after);

    /// <summary>The window that the list was begun with.</summary>
    public Window WindowAt(DateTimeOffset now) => new(Since, ListEnd.Of(Until == DateTimeOffset.MaxValue ? null : Until, now));
}

/// <summary>
/// Cursors as text: sealed by an HMAC over the list, its filters and the position, so that one that was altered, cut off, or
/// is of another list or other filters is recognised. Whatever passes the seal was written by us and needs no further check.
/// </summary>
internal static class CursorSeal
{
    /// <summary>Longer texts are none of ours.</summary>
    public const int MaxLength = 600;

    private const int SealBytes = 12;

    /// <summary>The text of a cursor of this request's list with these filters.</summary>
    public static string Write<T>(byte[] key, HttpRequest request, Cursor<T> cursor)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(cursor);
        return Base64Url.EncodeToString([.. Seal(key, request, content), .. content]);
    }

    /// <summary>The cursor, or null when the text is none of this list with these filters.</summary>
    public static Cursor<T>? Read<T>(byte[] key, HttpRequest request, string text)
    {
        if (text.Length > MaxLength || !Base64Url.IsValid(text))
            return null;
        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length <= SealBytes || Base64Url.EncodeToString(bytes) != text)
            return null;
        var content = bytes.AsSpan(SealBytes).ToArray();
        if (!CryptographicOperations.FixedTimeEquals(bytes.AsSpan(0, SealBytes), Seal(key, request, content)))
            return null;
        try
        {
            return JsonSerializer.Deserialize<Cursor<T>>(content);
        }
        catch (JsonException)
        {
            return null; // sealed by another version of this program, whose positions looked different
        }
    }

    private static ReadOnlySpan<byte> Seal(byte[] key, HttpRequest request, byte[] content)
    {
        var list = request.HttpContext.GetEndpoint()!.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName;
        var filters = request.Query.Where(given => given.Key is not ("before" or "limit"))
            .OrderBy(given => given.Key, StringComparer.Ordinal)
            .Select(given => $"&{Uri.EscapeDataString(given.Key)}={Uri.EscapeDataString(given.Value.ToString())}");
        byte[] sealedBytes = [.. Encoding.UTF8.GetBytes($"{list}?{string.Concat(filters)}\n"), .. content];
        return HMACSHA256.HashData(key, sealedBytes).AsSpan(0, SealBytes);
    }
}
