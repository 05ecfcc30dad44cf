namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>
/// The vault's components: those that the venue names, and those that it named within the last day. One that is missing in an answer is
/// looked at all the same, because what it holds is not gone with its name.
/// </summary>
internal sealed partial class KnownComponents(ILogger<KnownComponents> logger)
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _namedAt = new(StringComparer.Ordinal);
    private readonly HashSet<string> _missed = new(StringComparer.Ordinal);

    /// <summary>Takes in what was a component before this process began.</summary>
    public void Remember(IEnumerable<string> earlier, DateTimeOffset now)
    {
        lock (_lock)
            foreach (var component in earlier)
                _namedAt.TryAdd(component, now);
    }

    /// <summary>Takes in those that an answer names; answers those to look at, the named ones first.</summary>
    public IReadOnlyList<string> Add(IReadOnlyList<string> named, DateTimeOffset now)
    {
        lock (_lock)
        {
            foreach (var component in named)
                _namedAt[component] = now;
            _missed.ExceptWith(named);
            var missing = _namedAt.Where(known => now - known.Value <= Kept).Select(known => known.Key).Except(named)
                .Order(StringComparer.Ordinal).ToList();
            foreach (var component in missing.Where(_missed.Add))
                LogMissing(component, Kept.TotalHours);
            return [.. named, .. missing];
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "component {Component} is not in the vault's list any more; it is looked at for {Hours:0} hours yet, or until it is named again")]
    private partial void LogMissing(string component, double hours);
}
