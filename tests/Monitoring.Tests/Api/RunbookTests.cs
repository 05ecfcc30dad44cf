using System.Net;
using System.Text.RegularExpressions;
using Dapper;
using Monitoring.Api.Runbook;
using Monitoring.Data.Subjects;
using Monitoring.Tests.CommandLine;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>The runbook has an entry for everything that it is asked for, and what it tells people to run works.</summary>
public sealed partial class RunbookTests
{
    // The views of the page that entries lead to.
    private static readonly string[] Views = ["events", "monitors", "vault", "oracle", "liquidations", "messages"];

    private static readonly string[] Programs = ["Monitoring.Worker", "Monitoring.Api", "Monitoring.Migrations"];

    private static readonly string Event = "c4ca4238-a0b9-2382-0dcc-509a6f75849b"; // one of SampleRows

    private static readonly string Text = File.ReadAllText(Repository.File("docs/runbook.md"));

    private readonly RunbookPage _page = new();
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        await SampleRows.FillAsync(_db);
        _api = await ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon));
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    [Test]
    public void Every_rule_has_its_entry_and_no_entry_names_a_rule_that_there_is_not()
    {
        var named = _page.Entries.Select(entry => entry.Heading).Where(heading => RuleId().IsMatch(heading));
        Assert.That(named, Is.EquivalentTo(DataSubjects.Rules.All.Select(rule => rule.Id)));
        Assert.That(_page.Entries.Select(entry => entry.Anchor), Is.Unique);
    }

    [Test]
    public void Every_entry_of_a_rule_says_what_it_means_what_to_look_at_what_to_do_and_when_it_is_nothing()
    {
        var entries = Text.Split("\n## ").Skip(1).Select(entry => (Id: entry.Split('\n')[0], Text: entry));
        foreach (var (id, entry) in entries.Where(entry => RuleId().IsMatch(entry.Id)))
            Assert.That(new[] { "**It means** ", "**Look at** ", "**Do**", "**False alarm**" }.Where(part =>
                Regex.Count(entry, "^" + Regex.Escape(part), RegexOptions.Multiline, TimeSpan.FromSeconds(1)) != 1), Is.Empty, id);
    }

    [Test]
    public void Every_way_in_which_a_program_ends_without_being_done_has_its_entry()
    {
        // Of the migrations the enumeration says it; the others have the same scheme, and nothing of the read service waits.
        var codes = Enum.GetValues<Monitoring.Migrations.ExitCode>().Except([Monitoring.Migrations.ExitCode.Done])
            .Select(code => (int)code).ToList();
        var expected = Programs.SelectMany(program => codes.Where(code => program != "Monitoring.Api" || code < 3)
            .Select(code => $"{program}: exit code {code}"));
        Assert.That(
            _page.Entries.Select(entry => entry.Heading).Where(heading => heading.Contains("exit code")), Is.EqualTo(expected));
    }

    [Test]
    public async Task Page_has_the_anchor_of_each_entry_and_every_address_on_it_leads_somewhere()
    {
        using var response = await _api.Http.GetAsync("/docs/runbook");
        var html = await response.Content.ReadAsStringAsync();
        Assert.That((response.StatusCode, response.Content.Headers.ContentType!.ToString(), response.Headers.ETag is null),
            Is.EqualTo((HttpStatusCode.OK, "text/html; charset=utf-8", false)));
        Assert.That(
            response.Headers.GetValues("Content-Security-Policy").Single(), Does.StartWith("default-src 'none'; script-src 'self'"));
        var ids = Id().Matches(html).Select(match => match.Groups["id"].Value).ToList();
        Assert.That(ids, Is.Unique.And.SupersetOf(DataSubjects.Rules.All.Select(rule => rule.Id)));
        Assert.That(html, Does.Not.Contain("<script").And.Not.Contain("style=").And.Not.Contain("http-equiv"));
        foreach (var address in Address().Matches(html).Select(match => WebUtility.HtmlDecode(match.Groups["address"].Value)).Distinct())
            if (address.StartsWith('#'))
                Assert.That(ids, Does.Contain(address[1..]));
            else if (address.StartsWith("../#/", StringComparison.Ordinal))
                Assert.That(Views, Does.Contain(address["../#/".Length..]));
            else
                Assert.That((await _api.Http.GetAsync($"/docs/{address}")).StatusCode, Is.EqualTo(HttpStatusCode.OK), address);
    }

    [Test]
    public async Task It_is_there_while_the_database_is_away_and_with_a_slash_behind_it()
    {
        _api.Gate.Close();
        Assert.That((await _api.Http.GetAsync("/docs/runbook/")).RequestMessage!.RequestUri!.AbsolutePath, Is.EqualTo("/docs/runbook"));
        Assert.That(await _api.Http.GetStringAsync("/docs/runbook"), Does.Contain("id=\"hlp.loss\""));
    }

    [Test]
    public async Task Event_its_explanation_and_the_catalogue_lead_to_the_entry()
    {
        foreach (var path in new[] { $"/security/events/{Event}", $"/security/events/{Event}/explain" })
        {
            var answer = await _api.GetAsync(path);
            Assert.That((string?)(answer["event"] ?? answer)["runbook"], Is.EqualTo("docs/runbook#hlp.loss"), path);
        }

        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("UPDATE security_events SET rule_id = 'of.before'");
        Assert.That((await _api.GetAsync($"/security/events/{Event}"))["event"]!["runbook"], Is.Null, "this version has no such rule");

        _api.Gate.Close(); // the catalogue needs no database
        var rules = (await _api.GetAsync("/security/rules"))["rules"]!.AsArray();
        Assert.That(rules.Select(rule => (string)rule!["runbook"]!),
            Is.EqualTo(DataSubjects.Rules.All.Select(rule => $"docs/runbook#{rule.Id}")));
        var adl = rules.Single(rule => (string)rule!["id"]! == "liquidation.adl")!;
        var loss = rules.Single(rule => (string)rule!["id"]! == "hlp.loss")!;
        Assert.That(((string)adl["lifetime"]!, (double)adl["expires_after_seconds"]!, (string)loss["lifetime"]!,
            (string)loss["thresholds"]![0]!["name"]!, (decimal)loss["thresholds"]![0]!["default"]!,
            (string)loss["thresholds"]![0]!["unit"]!, (string)loss["thresholds"]![0]!["setting"]!,
            (string)loss["severities"]![1]!["severity"]!, (string)loss["threat_types"]![0]!),
            Is.EqualTo(("occurrence", 1800d, "condition", "high_usd", 1_000_000m, "USD", "Rules:hlp.loss:HighUsd", "critical",
                "hlp_exploitation")));
    }

    [Test]
    public async Task Every_request_in_it_is_answered()
    {
        var asked = Curl().Matches(Text).Select(match => match.Groups["path"].Value.Replace("EVENT", Event)).Distinct().ToList();
        Assert.That(asked, Has.Count.GreaterThan(15));
        foreach (var path in asked)
            Assert.That((await _api.Http.GetAsync(path)).StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
        Assert.That(Text.Split('\n').Count(line => line.TrimStart().StartsWith("curl ", StringComparison.Ordinal)),
            Is.EqualTo(Curl().Count(Text)), "each of them was understood");
    }

    [Test]
    public async Task Every_statement_in_it_runs()
    {
        await using var connection = await _db.OpenConnectionAsync();
        var statements = Psql().Matches(Text).Select(match => match.Groups["sql"].Value).ToList();
        Assert.That(statements, Has.Count.EqualTo(Text.Split('\n').Count(line => line.TrimStart().StartsWith("psql "))).And.Not.Empty);
        foreach (var sql in statements)
            Assert.That((await connection.QueryAsync(sql)).AsList(), Is.Not.Null, sql);
    }

    [Test]
    public async Task Every_command_in_it_is_there_with_its_options()
    {
        var commands = Command().Matches(Text).Select(match => match.Value.TrimEnd()).Where(line => !line.Contains("--help")).Distinct();
        Assert.That(commands, Is.Not.Empty);
        foreach (var command in commands)
        {
            var words = command.Split(' ');
            var path = words.Skip(1).TakeWhile(word => word.All(char.IsAsciiLetterLower) && word is not "slack").ToList();
            var (code, help, errors) = await ProgramUnderTest.RunAsync(words[0], $"{string.Join(' ', path)} --help");
            Assert.That((code, errors), Is.EqualTo((0, "")), command);
            Assert.That(help, Does.Contain(path.Count == 0 ? words[0] : $" {string.Join(' ', path)}"), command);
            foreach (var option in words.Where(word => word.StartsWith("--", StringComparison.Ordinal)))
                Assert.That(help, Does.Contain(option), command);
        }
    }

    [Test]
    public void It_lies_beside_the_program_too() =>
        Assert.That(File.ReadAllText(Path.Combine(Path.GetDirectoryName(Repository.Program("Monitoring.Api"))!, "docs/runbook.md")),
            Is.EqualTo(Text));

    [GeneratedRegex(@"^[a-z]+\.[a-z-]+$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RuleId();

    [GeneratedRegex(" id=\"(?<id>[^\"]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id();

    [GeneratedRegex("(href|src)=\"(?<address>[^\"]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();

    [GeneratedRegex(@"^ +curl -s '?http://127\.0\.0\.1:8000(?<path>/[^'\s]*)'?$", RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Curl();

    [GeneratedRegex("^ +psql \"\\$DATABASE_URL\" -c \"(?<sql>[^\"]+)\"$", RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Psql();

    [GeneratedRegex(@"(?<=^ +|`)Monitoring\.(Worker|Migrations) [a-z-][^`\n]*", RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Command();
}
