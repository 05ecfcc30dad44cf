using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Events;

/// <summary>What the database said when it last answered: the events that were not resolved, and what was silenced until when.</summary>
internal sealed record EventsView(
    DateTimeOffset At, IReadOnlyList<SecurityEvent> Open, IReadOnlyDictionary<string, DateTimeOffset> SilencedUntil);

/// <summary>
/// The last known state of events and silences: as the database last had them, whoever changed them, and, while it is away, what the
/// waiting results will make of them. Without a database there is only the latter. Safe for several threads.
/// </summary>
internal sealed class EventSnapshot
{
    /// <summary>So many open events are known at most.</summary>
    public const int OpenAtMost = 5000;

    private const int ResolvedAtMost = 5000;

    private readonly EventOptions _options;
    private readonly RuleCatalog _rules;
    private readonly TimeProvider _clock;
    private readonly EventSnapshotFile? _file;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SecurityEvent> _stored = []; // the newest of each fingerprint
    private IReadOnlyDictionary<string, DateTimeOffset> _silencedUntil = new Dictionary<string, DateTimeOffset>();
    private Dictionary<string, SecurityEvent> _expected = [];

    /// <summary>Begins with what the process before knew, where that is not too old.</summary>
    public EventSnapshot(EventOptions options, RuleCatalog rules, TimeProvider clock, EventSnapshotFile? file = null)
    {
        (_options, _rules, _clock, _file) = (options, rules, clock, file);
        if (file?.Read(clock.GetUtcNow()) is { } earlier)
            Take(earlier);
    }

    /// <summary>Those that are not resolved, as the database last had them.</summary>
    public IReadOnlyList<SecurityEvent> Open
    {
        get
        {
            lock (_lock)
                return [.. _stored.Values.Where(e => e.Status != EventStatus.Resolved)];
        }
    }

    /// <summary>
    /// Notes what the database has made of a result. Where it had the result already, by a commit whose answer was lost or from another
    /// worker, that is taken to be what the known events would become by it.
    /// </summary>
    public void Learn(CheckResult result, EventUpdate? stored)
    {
        lock (_lock)
        {
            var now = _clock.GetUtcNow();
            var update = stored ?? EventLifecycle.Apply(_stored.Values, result, _options.ResolveAfter, _rules, now);
            foreach (var changed in update.Events)
                _stored[changed.Fingerprint] = changed;
            if (_stored.Count > ResolvedAtMost)
                foreach (var resolved in _stored.Values.Where(e => e.Status == EventStatus.Resolved).ToList())
                    _stored.Remove(resolved.Fingerprint);
            if (update.Changes.Count > 0)
                _file?.Write(new EventsView(now, Open, _silencedUntil));
        }
    }

    /// <summary>Takes over what the database says: what another worker or an operator has resolved is open no more.</summary>
    public void Learn(EventsView view)
    {
        lock (_lock)
        {
            Take(view);
            _file?.Write(view);
        }
    }

    /// <summary>
    /// Whether no opening or escalation of this fingerprint may leave now: for sending without the database, which else decides it.
    /// </summary>
    public bool IsSilenced(string fingerprint)
    {
        lock (_lock)
            return _silencedUntil.TryGetValue(fingerprint, out var until) && _clock.GetUtcNow() < until;
    }

    /// <summary>
    /// Begins to expect: from what the database last had, and from what an earlier process knew where this one knows nothing.
    /// </summary>
    public void BeginExpecting(IEnumerable<SecurityEvent> earlier)
    {
        lock (_lock)
        {
            _expected = earlier.ToDictionary(e => e.Fingerprint);
            foreach (var (fingerprint, stored) in _stored)
                _expected[fingerprint] = stored;
        }
    }

    /// <summary>What the database will make of a result that waits. The same result again changes nothing.</summary>
    public EventUpdate Expect(CheckResult result)
    {
        lock (_lock)
        {
            var update = EventLifecycle.Apply(_expected.Values, result, _options.ResolveAfter, _rules, _clock.GetUtcNow());
            foreach (var changed in update.Events)
                _expected[changed.Fingerprint] = changed;
            return update;
        }
    }

    private void Take(EventsView view)
    {
        if (view.Open.Count < OpenAtMost)
            foreach (var gone in Open.ExceptBy(view.Open.Select(e => e.Fingerprint), e => e.Fingerprint).ToList())
                _stored.Remove(gone.Fingerprint);
        foreach (var open in view.Open)
            _stored[open.Fingerprint] = open;
        _silencedUntil = view.SilencedUntil;
    }
}
