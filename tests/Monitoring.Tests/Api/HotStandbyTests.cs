using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Api;
using Monitoring.Api.Access;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Tests.Access;
using Monitoring.Tests.CommandLine;
using Monitoring.Tests.Database;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>The read service and the worker's check on a real hot standby.</summary>
public sealed class HotStandbyTests
{
    private static readonly Guid Id = Guid.CreateVersion7();
    private static readonly string[] Folders = [TestFolder.Create(), TestFolder.Create()];

    // One pair of servers for all: nothing here changes what another test sees.
    private static PrivatePostgres? _primary;
    private static PrivatePostgres? _standby;
    private static NpgsqlDataSource _db = null!; // of the primary
    private static string _key = "";

    private readonly TestLogs _logs = new();

    [OneTimeSetUp]
    public static async Task StartServers()
    {
        try
        {
            _primary = await PrivatePostgres.StartAsync(Folders[0], isDurable: false, default);
        }
        catch (InvalidOperationException fault)
        {
            Assert.Ignore(fault.Message); // none of this machine's that can be stopped
        }

        await using (var db = _primary!.Open(pooling: false))
        {
            await SampleRows.FillAsync(db);
            await using var connection = await db.OpenConnectionAsync();
            await connection.ExecuteAsync(EventSample.InsertSql, new { id = Id, fingerprint = "r:s" });
            _key = await KeySample.AddAsync(db, "page", TimeProvider.System.GetUtcNow(), scopes: ["read", "operate"]);
        }

        _standby = await _primary.StartStandbyAsync(Folders[1], default);
        _db = _primary.Open();
    }

    [OneTimeTearDown]
    public static async Task StopServers()
    {
        if (_db is not null)
            await _db.DisposeAsync();
        if (_standby is not null)
            await _standby.DisposeAsync();
        if (_primary is not null)
            await _primary.DisposeAsync();
        foreach (var folder in Folders)
            TestFolder.Delete(folder);
    }

    private async Task<(WebApplication Api, HttpClient Http)> StartAsync()
    {
        var connection = new NpgsqlConnectionStringBuilder(_standby!.Connection.ConnectionString) { Options = "-c role=monitoring_api" };
        var api = ApiHost.Build(
            new ApiOptions(new DatabaseOptions(connection), "127.0.0.1", 0, new AccessOptions(ApiAuth.Keys, IsLoopback: true, 600, [], [])),
            TimeProvider.System, Repository.File("Monitoring.Api/wwwroot"), logging => logging.AddProvider(_logs));
        await api.StartAsync();
        var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(api.Urls.First()) };
        http.DefaultRequestHeaders.Add("X-API-Key", _key);
        return (api, http);
    }

    private IEnumerable<string> Warnings => _logs.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text);

    [Test]
    public async Task It_is_one()
    {
        await using var db = _standby!.Open();
        await using var connection = await db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<bool>("SELECT pg_is_in_recovery()"));
    }

    [Test]
    public async Task Everything_is_read_and_an_action_is_refused_as_read_only()
    {
        var (api, http) = await StartAsync();
        await using var stopped = api;
        using var disposed = http;
        foreach (var path in new[]
        {
            "/", "/health/ready", "/health", "/metrics", "/security/dashboard", "/security/dashboard", "/security/monitors",
            "/security/events", $"/security/events/{Id}", "/security/events/database?from=2026-11-01T00:00:00Z", "/security/hlp-vault",
            "/security/hlp-vault/history", "/security/hlp-vault/statistics", "/security/hlp-vault/inventory",
            "/security/hlp-vault/holdings", "/security/oracle-deviations", "/security/oracle-deviations/history?min_deviation_pct=0",
            "/security/liquidations?from=2026-11-01T00:00:00Z", "/security/liquidation-patterns", "/security/silences", "/badge/oracle.svg",
        })
        {
            using var answer = await http.GetAsync(path);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{path}: {await answer.Content.ReadAsStringAsync()}");
        }

        Assert.That(Warnings, Is.Empty);
        var silence = $$"""{"event_id":"{{Id}}","until":"{{TimeProvider.System.GetUtcNow().AddHours(1):yyyy-MM-ddTHH:mm:ssZ}}"}""";
        foreach (var (path, body) in new[]
        {
            ($"/security/events/{Id}/acknowledge", "{}"), ($"/security/events/{Id}/resolve", """{"note":"over"}"""),
            ("/security/silences", silence),
        })
        {
            using var answer = await http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
            var problem = await answer.Content.ReadAsStringAsync();
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable), problem);
            Assert.That(problem, Does.Contain("The database is read-only").And.Contain("nothing was changed")
                .And.Contain("leads to the primary").And.Not.Contain("does not answer"));
        }

        await Assert.ThatAsync(() => api.Services.GetRequiredService<AccessLedger>().WriteAsync(default),
            Throws.InstanceOf<PostgresException>().With.Matches<PostgresException>(DatabaseFaults.IsReadOnly));
        using (var after = await http.GetAsync($"/security/events/{Id}"))
            Assert.That(await after.Content.ReadAsStringAsync(), Does.Contain("\"status\":\"open\""));
        Assert.That(Warnings, Has.Exactly(3).Contains("the database is read-only, nothing was changed").And.Exactly(3).Items);
        await api.StopAsync();
    }

    [Test]
    public async Task Worker_of_the_primary_cannot_be_seen_from_here_which_is_said_and_is_no_silence()
    {
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("INSERT INTO worker_pulses VALUES ('h/1', '1', now(), now() - interval '1 hour')");
        var (api, http) = await StartAsync();
        await using var stopped = api;
        using var disposed = http;
        JsonNode answer;
        do
            answer = JsonNode.Parse(await http.GetStringAsync("/health"))!;
        while (answer["workers"]!["newest_pulse_at"] is null); // it follows the primary
        Assert.That(((string)answer["workers"]!["state"]!, (string)answer["workers"]!["detail"]!,
            (bool)answer["database"]!["takes_writes"]!), Is.EqualTo(
            ("unknown", "The database takes no writes; the worker cannot be seen from here (it is a standby)", false)));
        Assert.That(Warnings, Is.Empty);
        await api.StopAsync();
    }

    [Test]
    public async Task Stream_shows_what_the_primary_writes_though_a_standby_lets_nothing_be_heard()
    {
        var (api, http) = await StartAsync();
        await using var stopped = api;
        using var disposed = http;
        using var stream = new EventStreamClient(http);
        await stream.ConnectAsync();
        await TestWait.UntilAsync(() => _logs.Lines.Any(line => line.Text.Contains("is a standby, so nothing can be heard")),
            "that is said");
        foreach (var note in new[] { "first", "second" })
        {
            await using (var connection = await _db.OpenConnectionAsync())
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                await transaction.SendAsync(batch => SecurityEventChanges.Append(batch,
                    [new SecurityEventChange(0, Id, ManualClock.Noon, null, ChangeKind.Escalated, Severity.High, "rule", note, "{}")]));
                await transaction.CommitAsync();
            }

            Assert.That((await stream.ReadAsync())?.Data, Does.Contain($"\"note\":\"{note}\""));
        }

        Assert.That(_logs.Lines.Count(line => line.Text.Contains("standby")), Is.EqualTo(1), "it is said once");
        Assert.That(Warnings, Is.Empty);
        await api.StopAsync();
    }

    [Test]
    public async Task Check_says_that_the_worker_needs_the_primary()
    {
        var (code, output, errors) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "--check",
            ("DATABASE_URL", PoolerUnderTest.UrlOf(_standby!.Connection)), ("HYPERLIQUID_API_URL", "http://127.0.0.1:9"));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output.Split('\n'), Has.One.Match("^FAULT  database 127.0.0.1:.*: the database is read-only, a standby perhaps: "
            + "DATABASE_URL must lead to the primary$").And.None.Contains("   at "), output);
        Assert.That(errors, Is.Empty);
    }

    [Test]
    public async Task Migrations_say_that_they_need_the_primary()
    {
        var (code, _, errors) = await ProgramUnderTest.RunAsync(
            "Monitoring.Migrations", "up", ("DATABASE_URL", PoolerUnderTest.UrlOf(_standby!.Connection)));
        Assert.That((code, errors.TrimEnd()), Is.EqualTo((1, $"nothing was changed: {SchemaVersions.ReadOnly}")));
    }
}
