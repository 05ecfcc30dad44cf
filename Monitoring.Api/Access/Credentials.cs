using System.Text;
using Microsoft.Extensions.Primitives;
using Monitoring.Data.Access;

namespace Monitoring.Api.Access;

/// <summary>
/// Reads the key of a request: <c>Authorization: Bearer</c>, <c>X-API-Key</c>, or the password of
/// <c>Authorization: Basic</c>, which is how a browser that opens the page can send one.
/// </summary>
internal static class Credentials
{
    /// <summary>
    /// What a refused client may answer with. A line each: Chromium takes no second scheme from one, and would ask for no password.
    /// </summary>
    public static readonly StringValues Challenges = new(["Basic realm=\"monitoring (the key is the password)\", charset=\"UTF-8\"",
        "Bearer realm=\"monitoring\""]);

    /// <summary>Whether no key was tried at all, not even a wrong one.</summary>
    public static bool AreAbsent(IHeaderDictionary headers) => headers["X-API-Key"].Count == 0 && headers.Authorization.Count == 0;

    /// <summary>The well-formed key that was sent, or null when there is none, or more than one.</summary>
    public static string? Find(IHeaderDictionary headers)
    {
        var (own, standard) = (headers["X-API-Key"], headers.Authorization);
        var key = (own.Count, standard.Count) switch
        {
            (1, 0) => own.ToString(),
            (0, 1) => FindStandard(standard.ToString()),
            // A browser sends its password along with every request; the page was given the other key because that one was not enough.
            (1, 1) when IsBasic(standard.ToString()) || FindStandard(standard.ToString()) == own.ToString() => own.ToString(),
            _ => null,
        };
        return key is not null && ApiKeyText.IsWellFormed(key) ? key : null;
    }

    private static string? FindStandard(string header)
    {
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0)
            return null;
        var (scheme, rest) = (header[..space], header[(space + 1)..].Trim());
        return scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? rest
            : scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) ? FindPassword(rest)
            : null;
    }

    private static bool IsBasic(string header) => header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase);

    private static string? FindPassword(string base64)
    {
        Span<byte> bytes = stackalloc byte[512];
        if (!Convert.TryFromBase64String(base64, bytes, out var length))
            return null;
        var text = Encoding.UTF8.GetString(bytes[..length]);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : text[(colon + 1)..];
    }
}
