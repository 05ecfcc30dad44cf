using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>The bytes of every answer over one recorded database: what programs that read them have built upon.</summary>
public sealed partial class RecordedDatabaseTests
{
    private const int Events = 12;
    private static readonly string[] Forms = ["text/csv", "application/x-ndjson"];

    // Left out of the record: they say when, how often and by what bytes, not what.
    private static readonly HashSet<string> Passing =
        ["Date", "ETag", "RateLimit", "RateLimit-Policy", "Server", "Transfer-Encoding", "Content-Length", "Content-Security-Policy",
            "Permissions-Policy"];

    private static readonly string[] Json =
    [
        "/security/dashboard", "/security/monitors", "/security/monitors?hours=1", "/security/monitors?hours=168",
        "/security/hlp-vault", "/security/hlp-vault/statistics", "/security/hlp-vault/statistics?days=1",
            "/security/hlp-vault/statistics?days=365",
        "/security/hlp-vault/holdings", "/security/hlp-vault/holdings?hours=1&top=2", "/security/hlp-vault/holdings?hours=168&top=20",
        "/security/oracle-deviations", "/security/oracle-deviations?active_only=false",
        "/health", "/health/live", "/health/ready",
        "/badge/hlp-vault.svg", "/badge/oracle.svg", "/badge/inventory.svg", "/badge/never-ran.svg", "/badge/nobody.svg",
            "/badge/NOBODY.svg",
        "/security/hlp-vault/history?limit=0", "/security/events?status=none&limit=1&limit=2&x=1",
            "/security/liquidations?hours=1&from=2026-11-21T09:00:00Z",
        "/security/liquidations?from=2026-11-21T09:00:00Z&to=2026-11-21T09:00:00Z",
            "/security/events?before=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "/security/events/00000000-0000-0000-0000-000000000000", "/security/events/00000000-0000-0000-0000-000000000000/explain",
            "/security/events/none",
        "/security/nothing", "/nowhere",
    ];

    private static readonly (string Path, int Pages)[] Lists =
    [
        ("/security/hlp-vault/history?limit=3", 2),
            ("/security/hlp-vault/history?limit=5&from=2026-11-21T09:00:00Z&to=2026-11-21T09:20:00Z", 2),
        ("/security/hlp-vault/history?limit=2&hours=1", 1),
        ("/security/hlp-vault/inventory?limit=4", 2), ("/security/hlp-vault/inventory?limit=2&to=2026-11-21T11:50:00Z", 1),
        ("/security/oracle-deviations/history?limit=3", 3),
            ("/security/oracle-deviations/history?limit=2&asset=BTC&min_deviation_pct=1.05", 3),
        ("/security/oracle-deviations/history?limit=2&min_deviation_pct=0&hours=1", 2),
        ("/security/liquidations?limit=4", 2), ("/security/liquidations?limit=3&coin=xyz:TSLA", 2),
            ("/security/liquidations?limit=2&method=adl&hours=2", 2),
        ("/security/liquidation-patterns?limit=3", 2), ("/security/liquidation-patterns?limit=2&pattern_type=adl", 2),
        ("/security/events?limit=5", 3), ("/security/events?status=resolved&limit=2", 2),
            ("/security/events?severity=critical&status=open", 1),
        ("/security/events/database?limit=4", 3), ("/security/events/database?severity=high&hours=1", 1),
            ("/security/events/database?threat_type=monitor_stale", 1),
        ("/security/silences", 1), ("/security/silences?active_only=false&limit=2", 2),
    ];

    private static readonly string[] Exports =
    [
        "/security/hlp-vault/history?limit=12", "/security/hlp-vault/inventory?limit=6", "/security/oracle-deviations?active_only=false",
        "/security/oracle-deviations/history?limit=6&min_deviation_pct=0", "/security/liquidations?limit=9",
            "/security/liquidation-patterns", "/security/events",
        "/security/events/database?hours=168", "/security/silences?active_only=false", "/security/monitors?hours=3",
    ];

    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        await RecordedDatabase.FillAsync(_db);
        _api = await ApiUnderTest.StartAsync(_db, new ManualClock(RecordedDatabase.Now));
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    [Test]
    public async Task Answers_are_the_recorded_ones()
    {
        var record = new StringBuilder();
        foreach (var path in Json)
            await RecordAsync(record, path);
        foreach (var number in Enumerable.Range(0, Events))
            foreach (var path in new[] { "", "/explain" })
                await RecordAsync(record, $"/security/events/{RecordedDatabase.EventId(number)}{path}");
        foreach (var (path, pages) in Lists)
            await RecordPagesAsync(record, path, pages);
        foreach (var form in Forms)
            foreach (var path in Exports)
                await RecordAsync(record, path, form);
        Snapshot.Matches("tests/Monitoring.Tests/Api/RecordedAnswers.txt", record.ToString());
    }

    // Its request figures and those of the process differ at every run: of those the names, of the others the values, too.
    [Test]
    public async Task Metrics_are_the_recorded_ones()
    {
        await _api.GetAsync("/security/monitors");
        var lines = (await _api.Http.GetStringAsync("/metrics")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var metrics = lines.Where(line => !line.StartsWith("# ", StringComparison.Ordinal))
            .Select(line => Timeless(line.Replace("{}", "", StringComparison.Ordinal))); // no label, written in one way or the other
        Snapshot.Matches("tests/Monitoring.Tests/Api/RecordedMetrics.txt", string.Join('\n',
            metrics.Distinct().Order(StringComparer.Ordinal)));
    }

    private static string Timeless(string line) => Changing().IsMatch(line) ? $"{Value().Replace(line, "")} …" : line;

    private async Task RecordPagesAsync(StringBuilder record, string path, int pages)
    {
        string? next = null;
        for (var page = 0; page < pages; page++)
        {
            var body = await RecordAsync(record, path + (next is null ? "" : $"&before={next}"));
            next = (string?)JsonNode.Parse(body)!["next"];
        }
    }

    private async Task<string> RecordAsync(StringBuilder record, string path, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accept is not null)
            request.Headers.Accept.ParseAdd(accept);
        using var response = await _api.Http.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        record.Append(CultureInfo.InvariantCulture, $"GET {path}{(accept is null ? "" : $" as {accept}")}\n{(int)response.StatusCode}\n");
        foreach (var header in response.Headers.Concat(response.Content.Headers).Where(header =>
            !Passing.Contains(header.Key)).OrderBy(header => header.Key))
            record.Append(CultureInfo.InvariantCulture, $"{header.Key}: {string.Join(" | ", header.Value)}\n");
        if (response.StatusCode == HttpStatusCode.OK)
            Assert.That((response.Headers.ETag, response.Content.Headers.ContentLength), Is.Not.EqualTo((default(object),
                default(object))), path);
        record.Append(Trace().Replace(SchemaVersion().Replace(body, "\"schema_version\":0"), "\"\"").Replace("\r", "\\r",
            StringComparison.Ordinal)).Append("\n\n");
        return body;
    }

    [GeneratedRegex("\"schema_version\":[0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SchemaVersion();

    [GeneratedRegex("(?<=\"traceId\":|\"trace_id\":)\"[^\"]+\"", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Trace();

    [GeneratedRegex("^(monitoring_http_|process_|dotnet_|monitoring_schema_version)", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Changing();

    [GeneratedRegex(" [^ ]+$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Value();
}
