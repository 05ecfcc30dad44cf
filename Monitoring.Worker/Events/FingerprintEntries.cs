namespace Monitoring.Worker.Events;

/// <summary>
/// Entries of a check that name fingerprints: single ones, and by one that ends with <c>*</c> all that begin like it.
/// </summary>
internal sealed class FingerprintEntries
{
    private readonly HashSet<string> _single;
    private readonly List<string> _beginnings = []; // in order, and none of them begins like another

    public FingerprintEntries(IReadOnlyCollection<string> entries)
    {
        _single = [.. entries];
        foreach (var beginning in entries.Where(entry => entry.EndsWith('*')).Select(entry => entry[..^1]).Order(StringComparer.Ordinal))
            if (_beginnings.Count == 0 || !beginning.StartsWith(_beginnings[^1], StringComparison.Ordinal))
                _beginnings.Add(beginning);
    }

    /// <summary>Whether one of them names this fingerprint.</summary>
    public bool Contains(string fingerprint) => Find(fingerprint) is not null;

    /// <summary>
    /// The entry that names this fingerprint, its own before a beginning; null where none does. Of all beginnings only the last that is not
    /// after it in order can be its own.
    /// </summary>
    public string? Find(string fingerprint)
    {
        if (_single.Contains(fingerprint))
            return fingerprint;
        var place = _beginnings.BinarySearch(fingerprint, StringComparer.Ordinal);
        var beginning = place >= 0 ? fingerprint : ~place > 0 ? _beginnings[~place - 1] : null;
        return beginning is not null && fingerprint.StartsWith(beginning, StringComparison.Ordinal) ? $"{beginning}*" : null;
    }
}
