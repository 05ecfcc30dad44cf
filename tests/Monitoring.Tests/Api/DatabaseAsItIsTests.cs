using System.Net;
using System.Text;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Monitoring.Api;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>The read service on databases that give less than it asks for.</summary>
public sealed class DatabaseAsItIsTests
{
    private readonly TestLogs _logs = new();
    private NpgsqlDataSource _db = null!;
    private NpgsqlConnectionStringBuilder _connection = null!;
    private string _role = "";

    [SetUp]
    public async Task Clone()
    {
        _db = await TestDatabase.CloneAsync();
        _connection = TestDatabase.ConnectionTo(_db);
        (_connection.Username, _connection.Password) = (_role = $"login_of_{_connection.Database}", Guid.NewGuid().ToString("N"));
        await TestDatabase.ExecuteAsync(
            $"CREATE ROLE {_role} LOGIN PASSWORD '{_connection.Password}' IN ROLE monitoring_api CONNECTION LIMIT 3");
    }

    [TearDown]
    public async Task Drop()
    {
        await TestDatabase.DropAsync(_db);
        await TestDatabase.ExecuteAsync($"DROP ROLE {_role}");
    }

    private async Task<WebApplication> StartAsync()
    {
        var values = new Dictionary<string, string?> { ["DATABASE_URL"] = _connection.ConnectionString, ["API_PORT"] = "0" };
        var settings = new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        var api = ApiHost.Build(ApiOptions.Read(settings), TimeProvider.System, Repository.File("Monitoring.Api/wwwroot"),
            logging => logging.AddProvider(_logs));
        await api.StartAsync();
        return api;
    }

    [Test]
    public async Task Server_without_a_free_slot_makes_no_read_fail_while_some_of_its_connections_are_ours()
    {
        await using var api = await StartAsync();
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = new Uri(api.Urls.First()) };
        Assert.That((int)(await http.GetAsync("/health/ready")).StatusCode, Is.EqualTo(200));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var statuses = new List<HttpStatusCode>();
            for (var n = 0; n < 25; n++)
            {
                using var answer = await http.GetAsync("/security/events?limit=1");
                statuses.Add(answer.StatusCode);
            }

            return statuses;
        }));
        Assert.That(answers.SelectMany(statuses => statuses), Has.All.EqualTo(HttpStatusCode.OK));
        Assert.That(_logs.Lines.Where(line => line.Level >= LogLevel.Warning), Is.Empty);
        await api.StopAsync();
    }

    [Test]
    public async Task On_a_database_that_is_read_only_an_action_says_so_and_reads_go_on()
    {
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync($"ALTER ROLE {_role} SET default_transaction_read_only = on");
        await using var api = await StartAsync();
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = new Uri(api.Urls.First()) };
        using var answer = await http.PostAsync(
            $"/security/events/{Guid.Empty}/acknowledge", new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.That((answer.StatusCode, await answer.Content.ReadAsStringAsync()),
            Is.EqualTo((HttpStatusCode.ServiceUnavailable, await answer.Content.ReadAsStringAsync())));
        Assert.That(await answer.Content.ReadAsStringAsync(),
            Does.Contain("The database is read-only").And.Contain("leads to the primary").And.Not.Contain("does not answer"));
        Assert.That((int)(await http.GetAsync("/security/events")).StatusCode, Is.EqualTo(200));
        Assert.That(_logs.Lines.Select(line => line.Text), Has.None.Contains("cannot be used"), "it is no outage");
        await api.StopAsync();
    }
}
