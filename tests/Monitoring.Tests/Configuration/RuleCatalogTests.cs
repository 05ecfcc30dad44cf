using Microsoft.Extensions.Configuration;
using Monitoring.Data.Configuration;
using Monitoring.Data.Rules;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Hosting;

namespace Monitoring.Tests.Configuration;

/// <summary>The catalogue says everything of every rule, and what it says of settings is what the programs read.</summary>
public sealed class RuleCatalogTests
{
    private static readonly RuleCatalog Rules = DataSubjects.Rules;

    [Test]
    public void Reference_lists_every_rule() => Snapshot.Matches("docs/rules.md", RuleReference.Write(Rules));

    [Test]
    public void Every_rule_says_what_it_is_and_what_to_do()
    {
        foreach (var rule in Rules.All)
        {
            Assert.That(new[] { rule.Title, rule.Monitor, rule.Formula, rule.Source, rule.Advice }, Has.None.Empty, rule.Id);
            Assert.That(rule.Steps.Select(step => step.Severity), Is.Not.Empty.And.Unique.And.Ordered, rule.Id);
            Assert.That(rule.Thresholds.Select(threshold => threshold.Name), Is.Unique, rule.Id);
            foreach (var step in rule.Steps)
                Assert.That(rule.ThreatOf(step.Severity), Is.EqualTo(step.ThreatType), rule.Id);
        }
    }

    [Test]
    public void Every_rule_says_what_measures_it_in_which_unit()
    {
        string[] units = ["USD", "%", "points", "s", "h", "x", ""];
        Assert.That(Rules.All.Where(rule => rule.Measure is null).Select(rule => rule.Id), Is.Empty);
        Assert.That(Rules.All.Select(rule => rule.Measure!.Unit).Distinct(), Is.SubsetOf(units));
        Assert.That(Rules.All.Where(rule => rule.Measure!.Unit.Length == 0 && rule.Measure.Counts.Length == 0).Select(rule => rule.Id),
            Is.Empty, "a number without a unit counts something");
    }

    [Test]
    public void Every_setting_of_a_rule_is_a_threshold_of_the_catalogue_with_the_same_default()
    {
        var settings = new SettingsReader(new ConfigurationBuilder().Build());
        WorkerOptions.Read(settings, withoutDatabase: true);
        var read = settings.Declared.Where(setting => setting.Key.StartsWith("Rules:", StringComparison.Ordinal))
            .ToDictionary(setting => setting.Key, setting => setting.Default);
        var known = Rules.All.SelectMany(rule => rule.Thresholds).Where(threshold => threshold.Setting is not null)
            .DistinctBy(threshold => threshold.Setting)
            .ToDictionary(threshold => threshold.Setting!, threshold => $"{threshold.Default}");
        Assert.That(read, Is.EquivalentTo(known));
    }

    [Test]
    public void Rule_that_this_version_does_not_have_is_a_condition() =>
        Assert.That((Rules.Find("no.such-rule"), Rules.LifetimeOf("no.such-rule").Kind), Is.EqualTo(((Rule?)null, LifetimeKind.Condition)));

    [Test]
    public void Two_rules_of_one_id_are_refused() =>
        Assert.That(() => new RuleCatalog([Rules.All[0], Rules.All[0]]), Throws.ArgumentException);
}
