using System.Text.RegularExpressions;
using Monitoring.Api;
using Monitoring.Data.Database;
using Monitoring.Worker.Hosting;

namespace Monitoring.Tests;

/// <summary>The page that names the classes of each way through the system.</summary>
public sealed partial class ArchitectureDocTests
{
    [Test]
    public void Every_class_that_it_names_exists()
    {
        var page = File.ReadAllText(Repository.File("docs/architecture.md"));
        var named = Code().Matches(page).Concat(InPicture().Matches(Picture().Match(page).Value)).Select(match =>
            match.Groups["name"].Value).Distinct().ToList();
        var types = new[] { typeof(Observation).Assembly, typeof(WorkerHost).Assembly, typeof(ApiHost).Assembly }
            .SelectMany(assembly => assembly.GetTypes()).Select(type => type.Name.Split('`')[0]).ToHashSet();
        Assert.That(named, Has.Count.GreaterThan(30).And.Contains("OutboxSwitch").And.Contains("CheckJob"));
        Assert.That(named.Where(name => !types.Contains(name)), Is.Empty);
    }

    [GeneratedRegex("`(?<name>[A-Z][A-Za-z]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Code();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Picture();

    [GeneratedRegex(@"\b(?<name>[A-Z][a-z]+([A-Z][a-z]+)+)\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InPicture();
}
