using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Monitoring.Api;
using Monitoring.Data.Configuration;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Benchmarks.Speed;

/// <summary>The product's own parts on a database of a benchmark, put together by the product's own hosts.</summary>
internal sealed class BenchDatabase(PrivatePostgres postgres, string name) : IDisposable
{
    private readonly List<IHost> _hosts = [];

    /// <summary>How to connect, with the password.</summary>
    public string ConnectionString =>
        new NpgsqlConnectionStringBuilder(postgres.Connection.ConnectionString) { Database = name }.ConnectionString;

    /// <summary>Makes the database, with the newest schema.</summary>
    public Task<NpgsqlDataSource> CreateAsync(CancellationToken cancellationToken) => postgres.CreateDatabaseAsync(name, cancellationToken);

    /// <summary>The worker's recorder; nothing else of the worker runs.</summary>
    public DatabaseRecorder Recorder(params IEnumerable<(string Key, string Value)> settings)
    {
        var options = WorkerOptions.Read(Read([("DATABASE_URL", ConnectionString), .. settings]), withoutDatabase: false);
        var host = WorkerHost.Build(options, TimeProvider.System, _ => { });
        _hosts.Add(host);
        return host.Services.GetRequiredService<DatabaseRecorder>();
    }

    /// <summary>The read service, started on a free port.</summary>
    public async Task<WebApplication> StartApiAsync(CancellationToken cancellationToken)
    {
        var options = ApiOptions.Read(
            Read([("DATABASE_URL", ConnectionString), ("API_PORT", "0"), ("API_AUTH", "none"), ("API_REQUESTS_PER_MINUTE", "1000000")]));
        var app = ApiHost.Build(options, TimeProvider.System, Repository.File("Monitoring.Api/wwwroot"), _ => { });
        await app.StartAsync(cancellationToken);
        return app;
    }

    public void Dispose()
    {
        foreach (var host in _hosts)
            host.Dispose();
    }

    private static SettingsReader Read(IEnumerable<(string Key, string Value)> settings) =>
        new(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(one => KeyValuePair.Create(one.Key, (string?)one.Value))).Build());
}
