using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Monitoring.Api;
using Monitoring.Api.Access;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>The read service on a real port, reading a database through a gate that can be closed.</summary>
internal sealed class ApiUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SocketsHttpHandler _handler = new();

    private ApiUnderTest(WebApplication app, TcpGate gate, TestLogs logs)
    {
        (_app, Gate, Logs) = (app, gate, logs);
        Http = new HttpClient(_handler) { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public TcpGate Gate { get; }

    public TestLogs Logs { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>
    /// Starts it with the rights of its own role and no more. Unless said otherwise it takes no keys and does not count requests.
    /// </summary>
    public static async Task<ApiUnderTest> StartAsync(
        NpgsqlDataSource db, TimeProvider clock, AccessOptions? access = null, int maxPoolSize = 15)
    {
        var connection = TestDatabase.ConnectionTo(db);
        var gate = new TcpGate(connection.Host!, connection.Port);
        (connection.Host, connection.Port, connection.Timeout, connection.MaxPoolSize, connection.Options) =
            ("127.0.0.1", gate.Port, 5, maxPoolSize, "-c role=monitoring_api");
        var logs = new TestLogs();
        var app = ApiHost.Build(
            new ApiOptions(new DatabaseOptions(connection), "127.0.0.1", 0,
                access ?? new AccessOptions(ApiAuth.None, IsLoopback: true, 1_000_000, [], []) { StreamsPerCaller = 1000 }),
            clock, Repository.File("Monitoring.Api/wwwroot"), logging => logging.AddProvider(logs));
        await app.StartAsync();
        return new ApiUnderTest(app, gate, logs);
    }

    /// <summary>The JSON of a path that must answer 200.</summary>
    public async Task<JsonNode> GetAsync(string path)
    {
        using var response = await Http.GetAsync(path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{path}: {text}");
        return JsonNode.Parse(text)!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _handler.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Gate.DisposeAsync();
    }
}
