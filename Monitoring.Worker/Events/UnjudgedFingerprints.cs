namespace Monitoring.Worker.Events;

/// <summary>
/// The fingerprints that a check could not judge: single ones, and by an entry that ends with <c>*</c> all that begin like it.
/// </summary>
internal sealed class UnjudgedFingerprints
{
    private readonly HashSet<string> _single;
    private readonly List<string> _beginnings = []; // in order, and none of them begins like another

    public UnjudgedFingerprints(IReadOnlyList<string> entries)
    {
        _single = [.. entries];
        foreach (var beginning in entries.Where(entry => entry.EndsWith('*')).Select(entry => entry[..^1]).Order(StringComparer.Ordinal))
            if (_beginnings.Count == 0 || !beginning.StartsWith(_beginnings[^1], StringComparison.Ordinal))
                _beginnings.Add(beginning);
    }

    /// <summary>Whether this one is among them. Of all beginnings only the last that is not after it in order can be its own.</summary>
    public bool Contains(string fingerprint)
    {
        if (_single.Contains(fingerprint))
            return true;
        var place = _beginnings.BinarySearch(fingerprint, StringComparer.Ordinal);
        return place >= 0 || (~place > 0 && fingerprint.StartsWith(_beginnings[~place - 1], StringComparison.Ordinal));
    }
}
