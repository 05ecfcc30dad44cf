using System.Collections.Concurrent;

namespace Monitoring.Simulator.Info;

/// <summary>How often each type was asked for, refused requests included; malformed ones count as "invalid".</summary>
internal sealed class RequestCounts
{
    public const string Invalid = "invalid";

    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>The count of one type so far.</summary>
    public long this[string type] => _counts.GetValueOrDefault(type);

    public long Total => _counts.Values.Sum();

    public void Add(string type) => _counts.AddOrUpdate(type, 1, (_, count) => count + 1);

    public IReadOnlyDictionary<string, long> Snapshot() => new SortedDictionary<string, long>(_counts, StringComparer.Ordinal);
}
