using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Configuration;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Hosting;

namespace Monitoring.Tests;

/// <summary>Each subject is a folder of its own in every project: nothing outside knows of it but one list per program.</summary>
public sealed partial class ArchitectureOfSubjectsTests
{
    // A subject's folder, and the words that are its own.
    private static readonly (string Folder, string[] Words)[] Subjects =
        [("Venues", ["venues", "hyperliquid", "hlp", "oracle", "liquidation"])];

    // Projects that keep to it; a new one is one entry here.
    private static readonly string[] Projects = ["Monitoring.Data", "Monitoring.Worker"];

    // The lists of subjects, one per program.
    private static readonly string[] Lists = ["DataSubjects.cs", "WorkerSubjects.cs"];

    private static IEnumerable<string> Sources() =>
        Projects.SelectMany(project => Directory.EnumerateFiles(Repository.File(project), "*", SearchOption.AllDirectories))
        .Where(file => Path.GetExtension(file) is ".cs" or ".js" or ".html" && !file.Contains("/lib/", StringComparison.Ordinal));

    private static bool IsOf(string folder, string file) =>
        file.Split('/').Contains(folder, StringComparer.OrdinalIgnoreCase);

    [Test]
    public void Every_subject_is_declared_here_and_in_each_list() =>
        Assert.That(DataSubjects.All.Select(subject => subject.Name), Is.EquivalentTo(Subjects.Select(subject => subject.Folder)));

    [Test]
    public void Nothing_outside_its_folders_mentions_a_subject()
    {
        var mentions = from file in Sources()
                       where !Lists.Contains(Path.GetFileName(file))
                       from subject in Subjects
                       where !IsOf(subject.Folder, file)
                       from line in File.ReadLines(file).Index()
                       from word in subject.Words
                       where line.Item.Contains(word, StringComparison.OrdinalIgnoreCase)
                       select $"{file}:{line.Index + 1} says {word}: {line.Item.Trim()}";
        Assert.That(mentions, Is.Empty);
    }

    [Test]
    public void Lists_of_subjects_are_nothing_but_that()
    {
        foreach (var file in Sources().Where(file => Lists.Contains(Path.GetFileName(file))))
            Assert.That(
                File.ReadLines(file).Count(line => Subjects.Any(subject => line.Contains(subject.Folder, StringComparison.Ordinal))),
                Is.EqualTo(2 * Subjects.Length), $"{file}: a using and an entry for each");
    }

    [Test]
    public void Id_and_threat_type_of_a_rule_stand_in_the_catalogue_alone()
    {
        var known = DataSubjects.Rules.All.Select(rule => rule.Id).Concat(DataSubjects.Rules.ThreatTypes).ToHashSet();
        var again = from file in Sources()
                    where Path.GetFileName(file) is not "EngineRules.cs" and var name && !name.EndsWith("RuleSet.cs",
                        StringComparison.Ordinal)
                    from literal in Literal().Matches(File.ReadAllText(file)).Select(match => match.Groups["text"].Value)
                    where known.Contains(literal)
                    select $"{file}: \"{literal}\"";
        Assert.That(again, Is.Empty);
    }

    [Test]
    public void Every_monitor_runs_under_a_name_of_its_own()
    {
        var settings = new SettingsReader(new ConfigurationBuilder().Build());
        using var host = WorkerHost.Build(WorkerOptions.Read(settings, withoutDatabase: true), TimeProvider.System, _ => { });
        var schedules = host.Services.GetServices<MonitorSchedule>().ToList();
        Assert.That(schedules.Select(schedule => schedule.Name), Is.Unique);
        Assert.That(schedules.Select(schedule => host.Services.GetRequiredKeyedService<IMonitor>(schedule.Name).GetType()).Distinct(),
            Is.EquivalentTo(typeof(IMonitor).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IMonitor)))));
    }

    [GeneratedRegex("\"(?<text>[a-z_.-]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Literal();
}
