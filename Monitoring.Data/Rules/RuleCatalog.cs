namespace Monitoring.Data.Rules;

/// <summary>Every rule of this program by its id: the engine's own and those that subjects bring.</summary>
public sealed class RuleCatalog
{
    private readonly Dictionary<string, Rule> _byId;

    /// <summary>Takes the rules together.</summary>
    /// <exception cref="ArgumentException">Two rules have the same id.</exception>
    public RuleCatalog(IEnumerable<Rule> rules)
    {
        All = [.. rules.OrderBy(rule => rule.Id, StringComparer.Ordinal)];
        _byId = All.ToDictionary(rule => rule.Id);
        NeverHeld = [.. All.Where(rule => rule.NeverHeld).Select(rule => rule.Id)];
        ThreatTypes = [.. All.SelectMany(rule => rule.Steps).Select(step => step.ThreatType).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>All rules, by id.</summary>
    public IReadOnlyList<Rule> All { get; }

    /// <summary>Every kind of threat that some rule reports: a route that names another would never match.</summary>
    public IReadOnlyList<string> ThreatTypes { get; }

    /// <summary>The ids of the rules whose messages never wait for others to be grouped with.</summary>
    public IReadOnlyList<string> NeverHeld { get; }

    /// <summary>Whether open events of this rule may speak for those of others.</summary>
    public bool Inhibits(string id) => Find(id) is { Inhibits.Count: > 0 };

    /// <summary>Whether events of this rule may be inhibited by those of another.</summary>
    public bool CanBeInhibited(string id) => All.Any(rule => rule.SpeaksFor(id));

    /// <summary>The ids of the rules whose events those of this rule may speak for.</summary>
    public IEnumerable<string> InhibitedBy(string id) =>
        Find(id) is { } speaker ? All.Select(rule => rule.Id).Where(speaker.SpeaksFor) : [];

    /// <summary>The rule of this id; null for an event of a rule that this version does not have.</summary>
    public Rule? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>How events of this rule end; a condition where the rule is not known.</summary>
    public EventLifetime LifetimeOf(string id) => Find(id)?.Lifetime ?? EventLifetime.Condition;
}
