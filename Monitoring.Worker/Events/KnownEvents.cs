using Monitoring.Data.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Events;

/// <summary>
/// The events as this worker knows them: as the database last had them, and, while it is away, as what waits will change them. Not safe for several threads.
/// </summary>
internal sealed class KnownEvents(EventOptions options)
{
    private const int ResolvedAtMost = 5000;

    private readonly Dictionary<string, SecurityEvent> _stored = []; // the newest of each fingerprint
    private Dictionary<string, SecurityEvent> _expected = [];

    /// <summary>Those that are not resolved, as the database last had them.</summary>
    public IReadOnlyList<SecurityEvent> Open => [.. _stored.Values.Where(e => e.Status != EventStatus.Resolved)];

    /// <summary>Notes what the database has stored.</summary>
    public void Learn(EventUpdate update)
    {
        foreach (var changed in update.Events)
            _stored[changed.Fingerprint] = changed;
        if (_stored.Count > ResolvedAtMost)
            foreach (var resolved in _stored.Values.Where(e => e.Status == EventStatus.Resolved).ToList())
                _stored.Remove(resolved.Fingerprint);
    }

    /// <summary>Begins to expect: from what the database last had, and from what an earlier process knew of it where this one knows nothing.</summary>
    public void BeginExpecting(IEnumerable<SecurityEvent> earlier)
    {
        _expected = earlier.ToDictionary(e => e.Fingerprint);
        foreach (var (fingerprint, stored) in _stored)
            _expected[fingerprint] = stored;
    }

    /// <summary>What the database will make of a result that waits. The same result again changes nothing.</summary>
    public EventUpdate Expect(CheckResult result, DateTimeOffset now)
    {
        var update = EventLifecycle.Apply([.. _expected.Values], result, options.ResolveAfter, now);
        foreach (var changed in update.Events)
            _expected[changed.Fingerprint] = changed;
        return update;
    }
}
