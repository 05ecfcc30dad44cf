namespace Monitoring.Worker.Notifications.Channels;

/// <summary>
/// Strikes from a text what an address holds of secrets: services repeat a part of it in their refusals, as it was sent or decoded.
/// </summary>
internal static class AddressSecrets
{
    private const string Struck = "***";
    private const int ShortestSegment = 8; // shorter ones are words such as "hooks"
    private const int ShortestValue = 6; // shorter ones are words such as "true"
    private const int ShortestOfUser = 4;

    /// <summary>The text without them.</summary>
    public static string Strike(string text, Uri address)
    {
        foreach (var part in Parts(address).SelectMany(part => new[] { part, Uri.UnescapeDataString(part) }).Distinct()
            .OrderByDescending(part => part.Length))
            text = text.Replace(part, Struck, StringComparison.OrdinalIgnoreCase);
        return text;
    }

    private static IEnumerable<string> Parts(Uri address)
    {
        if (address.PathAndQuery.Length > ShortestSegment)
            yield return address.PathAndQuery;
        foreach (var segment in address.AbsolutePath.Split('/').Where(segment => segment.Length >= ShortestSegment))
            yield return segment;
        foreach (var pair in address.Query.TrimStart('?').Split('&'))
            if (pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..] is { Length: >= ShortestValue } value)
                yield return value;
        foreach (var word in address.UserInfo.Split(':').Where(word => word.Length >= ShortestOfUser))
            yield return word;
    }
}
