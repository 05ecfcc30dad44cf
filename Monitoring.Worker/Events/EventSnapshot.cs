using System.Text.Json.Serialization;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Events;

/// <summary>
/// What the database said when it last answered: of each fingerprint the event that was open, or was resolved not long ago; and what was
/// silenced until when.
/// </summary>
internal sealed record EventsView(
    DateTimeOffset At, [property: JsonPropertyName("open")] IReadOnlyList<SecurityEvent> Known,
    IReadOnlyDictionary<string, DateTimeOffset> SilencedUntil);

/// <summary>
/// The last known state of events and silences: as the database last had them, whoever changed them, and, while it is away, what the
/// waiting results will make of them. Without a database there is only the latter. Safe for several threads.
/// </summary>
internal sealed class EventSnapshot
{
    /// <summary>So many open events are known at most.</summary>
    public const int OpenAtMost = 5000;

    private const int ResolvedAtMost = 5000;

    /// <summary>Events that were resolved within this time still matter: for whether their fingerprints flap.</summary>
    public static readonly TimeSpan ResolvedFor = TimeSpan.FromHours(1);

    private static readonly TimeSpan HostGoneAfter = TimeSpan.FromMinutes(10);

    private readonly EventPolicy _policy;
    private readonly TimeProvider _clock;
    private readonly EventSnapshotFile? _file;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SecurityEvent> _stored = []; // the newest of each fingerprint
    private IReadOnlyDictionary<string, DateTimeOffset> _silencedUntil = new Dictionary<string, DateTimeOffset>();
    private Dictionary<string, SecurityEvent> _expected = [];

    /// <summary>Begins with what the process before knew, where that is not too old.</summary>
    public EventSnapshot(
        EventOptions options, RuleCatalog rules, NotificationRouting routing, TimeProvider clock, EventSnapshotFile? file = null)
    {
        (_policy, _clock, _file) = (new EventPolicy(options, rules, routing), clock, file);
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

    /// <summary>These, and those that were resolved not long ago.</summary>
    public IReadOnlyList<SecurityEvent> Known
    {
        get
        {
            lock (_lock)
                return [.. _stored.Values.Where(e => e.Status != EventStatus.Resolved || e.ResolvedAt > _clock.GetUtcNow() - ResolvedFor)];
        }
    }

    /// <summary>
    /// The fingerprints of a rule's open events that are about another machine: not for this one to resolve, unless that machine has not
    /// seen them for so long that it is gone.
    /// </summary>
    public IReadOnlyList<string> OfOtherHosts(Rule rule, WorkerIdentity identity) => [.. Open
        .Where(e => e.RuleId == rule.Id && !identity.IsSubject(e.Subject) && (_clock.GetUtcNow() - e.LastSeenAt).Duration() < HostGoneAfter)
        .Select(e => e.Fingerprint)];

    /// <summary>
    /// Notes what the database has made of a result. Where it had the result already, by a commit whose answer was lost or from another
    /// worker, that is taken to be what the known events would become by it.
    /// </summary>
    public void Learn(CheckResult result, EventUpdate? stored)
    {
        lock (_lock)
        {
            var now = _clock.GetUtcNow();
            var update = stored ?? _policy.Decide(_stored.Values, result, e => IsHeld(e, _stored), now);
            foreach (var changed in update.Events)
                _stored[changed.Fingerprint] = changed;
            if (_stored.Count > ResolvedAtMost)
                foreach (var resolved in _stored.Values.Where(e => e.Status == EventStatus.Resolved).ToList())
                    _stored.Remove(resolved.Fingerprint);
            if (update.Changes.Count > 0)
                _file?.Write(new EventsView(now, Known, _silencedUntil));
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
    /// Whether what is expected of an event may not leave now, because it is silenced or inhibited: for sending without the database, which
    /// else decides it.
    /// </summary>
    public bool IsHeld(SecurityEvent e)
    {
        lock (_lock)
            return IsHeld(e, _expected);
    }

    /// <summary>An event as it is expected to be; null where it is not known.</summary>
    public SecurityEvent? FindExpected(Guid eventId)
    {
        lock (_lock)
            return Find(eventId, _expected);
    }

    /// <summary>The expected events that were opened under one that speaks for them: nobody was notified of their opening.</summary>
    public IReadOnlyList<SecurityEvent> OpenedInhibited()
    {
        lock (_lock)
            return [.. _expected.Values.Where(e => e is { Status: EventStatus.Open, InhibitedBy: { } by } && IsHeld(e, _expected)
                && Find(by, _expected)?.FirstSeenAt <= e.FirstSeenAt)];
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
            var update = _policy.Decide(_expected.Values, result, e => IsHeld(e, _expected), _clock.GetUtcNow());
            foreach (var changed in update.Events)
                _expected[changed.Fingerprint] = changed;
            return update;
        }
    }

    private void Take(EventsView view)
    {
        if (view.Known.Count(e => e.Status != EventStatus.Resolved) < OpenAtMost)
            foreach (var gone in Open.ExceptBy(view.Known.Select(e => e.Fingerprint), e => e.Fingerprint).ToList())
                _stored.Remove(gone.Fingerprint);
        foreach (var known in view.Known)
            _stored[known.Fingerprint] = known;
        _silencedUntil = view.SilencedUntil;
    }

    private bool IsHeld(SecurityEvent e, Dictionary<string, SecurityEvent> events) => IsSilenced(e.Fingerprint)
        || (e.InhibitedBy is { } by && Find(by, events) is { Status: not EventStatus.Resolved } speaker
            && !IsSilenced(speaker.Fingerprint));

    private bool IsSilenced(string fingerprint) =>
        _silencedUntil.TryGetValue(fingerprint, out var until) && _clock.GetUtcNow() < until;

    private static SecurityEvent? Find(Guid eventId, Dictionary<string, SecurityEvent> events) =>
        events.Values.FirstOrDefault(e => e.EventId == eventId);
}
