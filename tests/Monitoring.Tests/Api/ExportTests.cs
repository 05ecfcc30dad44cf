using System.Globalization;
using System.Net;
using Dapper;
using Monitoring.Tests.CommandLine;
using Npgsql;

namespace Monitoring.Tests.Api;

public sealed class ExportTests
{
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    // Assets times checks, 15 s apart, on one day; with the one index that the export reads from, for the others take the most time.
    private async Task FillAsync(int assets, int checks)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            SELECT ensure_day_partition('oracle_deviations', '2026-11-20'::date);
            DROP INDEX oracle_deviations_large_idx, oracle_deviations_observed_idx;
            ALTER TABLE oracle_deviations DROP CONSTRAINT oracle_deviations_pkey;
            INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, binance_price, okx_price, reference_price,
                                           reference_count, left_out, max_deviation_pct, max_deviation_source, duration_seconds,
                                           is_dangerous)
            SELECT 'A' || a, '2026-11-20Z'::timestamptz + n * interval '15 seconds', 96412.5, 96410, 96380.25, 96381, 96380.6, 2, '{}',
                   0.1, 'okx', 0, false
              FROM generate_series(1, @checks) AS n, generate_series(1, @assets) AS a;
            CREATE INDEX oracle_deviations_observed_idx ON oracle_deviations (observed_at DESC, asset DESC);
            ANALYZE oracle_deviations;
            """, new { assets, checks }, commandTimeout: 300);
    }

    private static HttpRequestMessage Ask(string query, string form) =>
        new(HttpMethod.Get, $"/security/oracle-deviations/history?min_deviation_pct=0&{query}") { Headers = { Accept = { new(form) } } };

    [Test]
    public async Task A_million_rows_of_csv_cost_the_service_no_memory()
    {
        const int assets = 250, checks = 4000;
        await FillAsync(assets, checks);
        using var service = ProgramUnderTest.Start(
            "Monitoring.Api", "", ("DATABASE_URL", TestDatabase.ConnectionTo(_db).ConnectionString), ("API_PORT", "0"));
        var line = await service.WaitForLineAsync("listening on");
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler)
        {
            BaseAddress = new Uri(line[(line.IndexOf("http", StringComparison.Ordinal))..].Trim()), Timeout = TimeSpan.FromMinutes(5),
        };

        await ReadAsync(http, "from=2026-11-20T00:00:00Z&to=2026-11-20T01:00:00Z", () => { }); // warm: code compiled, pools filled
        var before = ResidentBytes(service.Id);
        var most = before;
        var rows = await ReadAsync(http, "from=2026-11-20T00:00:00Z", () => most = Math.Max(most, ResidentBytes(service.Id)));
        TestContext.Out.WriteLine($"{rows} rows, resident {before >> 20} MB before, {most >> 20} MB at most");
        Assert.That(rows, Is.EqualTo(assets * checks));
        Assert.That((most - before) >> 20, Is.LessThan(50), "megabytes");
    }

    private static async Task<int> ReadAsync(HttpClient http, string query, Action sample)
    {
        using var request = Ask(query, "text/csv");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[256 * 1024];
        var lines = 0;
        for (var reads = 0; await body.ReadAsync(buffer) is var count and > 0; reads++)
        {
            lines += buffer.AsSpan(0, count).Count((byte)'\n');
            if (reads % 50 == 0)
                sample();
        }

        sample();
        return lines - 1;
    }

    private static long ResidentBytes(int process) =>
        1024 * long.Parse(File.ReadLines($"/proc/{process}/status")
            .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))[6..]
            .Replace("kB", "")
            .Trim(), CultureInfo.InvariantCulture);

    [Test]
    public async Task Range_comes_whole_in_order_and_each_row_once()
    {
        await FillAsync(7, 500);
        await using var api = await ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon));
        using var request = Ask("from=2026-11-20T00:10:00Z&to=2026-11-20T02:00:00Z", "application/x-ndjson");
        using var response = await api.Http.SendAsync(request);
        var rows = (await response.Content.ReadAsStringAsync()).TrimEnd().Split('\n').Select(row =>
            System.Text.Json.Nodes.JsonNode.Parse(row)!).Select(row => $"{row["timestamp"]} {row["asset"]}").ToList();
        Assert.That(rows, Has.Count.EqualTo(7 * 440).And.Unique.And.Ordered.Descending);
        Assert.That(response.Headers.Vary, Does.Contain("Accept"));
    }

    [Test]
    public async Task Export_that_loses_the_database_breaks_off_and_does_not_look_whole()
    {
        await FillAsync(100, 1000);
        await using var api = await ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon));
        using var request = Ask("from=2026-11-20T00:00:00Z", "application/x-ndjson");
        using var response = await api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[100_000]);
        api.Gate.Close();
        Assert.That(async () => await body.CopyToAsync(Stream.Null),
            Throws.InstanceOf<IOException>().Or.InstanceOf<HttpRequestException>());
        Assert.That(api.Logs.Lines.Select(entry => entry.Text), Has.Some.Contains("the database cannot be used"));
        api.Gate.Open();
        Assert.That((string)(await api.GetAsync("/health/ready"))["status"]!, Is.EqualTo("ready"));
    }

    [TestCase("=HYPERLINK(1)"), TestCase("+1"), TestCase("-1"), TestCase("@107"), TestCase("a=1", "a=1"), TestCase("=a,b", "\"'=a,b\"")]
    public async Task Text_that_a_spreadsheet_would_reckon_with_is_marked_as_text(string asset, string? cell = null)
    {
        await FillAsync(1, 1);
        await using (var rename = _db.CreateCommand("UPDATE oracle_deviations SET asset = $1, max_deviation_pct = 0.5, mark_price = -2"))
        {
            rename.Parameters.Add(new() { Value = asset });
            await rename.ExecuteNonQueryAsync();
        }

        await using var api = await ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon));
        using var request = Ask("from=2026-11-20T00:00:00Z", "text/csv");
        using var response = await api.Http.SendAsync(request);
        var row = (await response.Content.ReadAsStringAsync()).Split("\r\n")[1];
        Assert.That(row, Does.Contain($"Z,{cell ?? $"'{asset}"},"));
        Assert.That(row, Does.Contain(",-2,"), "a number is one");
    }

    [TestCase("gzip")]
    [TestCase("br")]
    public async Task Answers_are_compressed_for_who_asks_and_keep_their_tag(string coding)
    {
        await SampleRows.FillAsync(_db);
        await using var api = await ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon));
        using var plain = await api.Http.GetAsync("/security/events");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/security/events") { Headers = { AcceptEncoding = { new(coding) } } };
        using var packed = await api.Http.SendAsync(request);
        Assert.That((packed.Content.Headers.ContentEncoding.Single(), packed.Headers.ETag), Is.EqualTo((coding, plain.Headers.ETag)));
        Assert.That((await packed.Content.ReadAsByteArrayAsync()).Length,
            Is.LessThan((await plain.Content.ReadAsByteArrayAsync()).Length / 4));
        Assert.That(packed.Headers.Contains("Access-Control-Allow-Origin"), Is.False);
    }

    [Test]
    public async Task Badge_and_metrics_tell_what_is_known_and_no_more()
    {
        await SampleRows.FillAsync(_db);
        await using var api = await ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon));
        Assert.That(await api.Http.GetStringAsync("/badge/hlp-vault.svg"), Does.Contain(">fresh<"));
        Assert.That(await api.Http.GetStringAsync("/badge/oracle.svg"), Does.Contain(">no data<"));
        Assert.That(await api.Http.GetStringAsync("/badge/nobody.svg"), Does.Contain(">no data<"));
        using var odd = await api.Http.GetAsync("/badge/%3Cscript%3E.svg");
        Assert.That(odd.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));

        var metrics = await api.Http.GetStringAsync("/metrics");
        Assert.That(metrics,
            Does.Contain("monitoring_database_up{} 1\n").And.Contain("monitoring_monitor_fresh{monitor=\"hlp-vault\"} 1\n")
            .And.Contain("monitoring_open_events{severity=\"high\"} 30\n")
            .And.Contain(
                "monitoring_http_request_duration_seconds_count{method=\"GET\",route=\"/badge/{monitor}.svg\",status=\"200\"} 3\n"));
        api.Gate.Close();
        Assert.That(await api.Http.GetStringAsync("/badge/hlp-vault.svg"), Does.Contain(">no data<"));
        Assert.That(await api.Http.GetStringAsync("/metrics"),
            Does.Contain("monitoring_database_up{} 0\n").And.Not.Contain("monitoring_monitor_fresh"));
    }

    [Test]
    public async Task Page_of_the_description_comes_from_here_alone()
    {
        await using var api = await ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon));
        using var page = await api.Http.GetAsync("/docs");
        Assert.That((page.StatusCode, page.Content.Headers.ContentType?.MediaType), Is.EqualTo((HttpStatusCode.OK, "text/html")));
        Assert.That(page.Headers.GetValues("Content-Security-Policy").Single(),
            Does.Contain("script-src 'self'").And.Not.Contain("unsafe"));
        Assert.That(await page.Content.ReadAsStringAsync(), Does.Contain("docs.js").And.Not.Contain("http://")
            .And.Not.Contain("https://").And.Not.Contain("<style").And.Not.Contain("style="));
    }
}
