using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Events;

/// <summary>What the database said when it last answered: which events were not resolved, and which fingerprints were silenced until when.</summary>
internal sealed record EventsView(DateTimeOffset At, IReadOnlyList<SecurityEvent> Open, IReadOnlyDictionary<string, DateTimeOffset> SilencedUntil);

/// <summary>
/// The events as this worker knows them: as the database last had them, whoever changed them, and, while it is away, as what waits will change them. Not safe for several threads.
/// </summary>
internal sealed class KnownEvents(EventOptions options, RuleCatalog rules)
{
    /// <summary>So many open events are known at most.</summary>
    public const int OpenAtMost = 5000;

    private const int ResolvedAtMost = 5000;

    private readonly Dictionary<string, SecurityEvent> _stored = []; // the newest of each fingerprint
    private IReadOnlyDictionary<string, DateTimeOffset> _silencedUntil = new Dictionary<string, DateTimeOffset>();
    private Dictionary<string, SecurityEvent> _expected = [];

    /// <summary>Those that are not resolved, as the database last had them.</summary>
    public IReadOnlyList<SecurityEvent> Open => [.. _stored.Values.Where(e => e.Status != EventStatus.Resolved)];

    /// <summary>What is known, to be kept for the next process.</summary>
    public EventsView ViewAt(DateTimeOffset now) => new(now, Open, _silencedUntil);

    /// <summary>
    /// Notes what the database has made of a result. Where it had the result already, by a commit whose answer was lost or from another worker, that is taken to be what is known would
    /// make of it. Answers whether there was a change.
    /// </summary>
    public bool Learn(CheckResult result, EventUpdate? stored, DateTimeOffset now)
    {
        var update = stored ?? EventLifecycle.Apply(_stored.Values, result, options.ResolveAfter, rules, now);
        foreach (var changed in update.Events)
            _stored[changed.Fingerprint] = changed;
        if (_stored.Count > ResolvedAtMost)
            foreach (var resolved in _stored.Values.Where(e => e.Status == EventStatus.Resolved).ToList())
                _stored.Remove(resolved.Fingerprint);
        return update.Changes.Count > 0;
    }

    /// <summary>Takes over what the database says: what another worker or an operator has resolved is open no more.</summary>
    public void Learn(EventsView view)
    {
        if (view.Open.Count < OpenAtMost)
            foreach (var gone in Open.ExceptBy(view.Open.Select(e => e.Fingerprint), e => e.Fingerprint).ToList())
                _stored.Remove(gone.Fingerprint);
        foreach (var open in view.Open)
            _stored[open.Fingerprint] = open;
        _silencedUntil = view.SilencedUntil;
    }

    /// <summary>Whether nothing is to be said of this fingerprint now.</summary>
    public bool IsSilenced(string fingerprint, DateTimeOffset now) => _silencedUntil.TryGetValue(fingerprint, out var until) && now < until;

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
        var update = EventLifecycle.Apply(_expected.Values, result, options.ResolveAfter, rules, now);
        foreach (var changed in update.Events)
            _expected[changed.Fingerprint] = changed;
        return update;
    }
}
