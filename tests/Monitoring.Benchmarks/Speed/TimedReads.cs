using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Monitoring.Benchmarks.Speed;

/// <summary>One HTTP client that asks several addresses in turn, so that the machine's noise hits all of them alike.</summary>
internal sealed class TimedReads : IDisposable
{
    private const int WarmUps = 100;

    private readonly SocketsHttpHandler _handler = new();
    private readonly HttpClient _http;

    public TimedReads() => _http = new HttpClient(_handler);

    /// <summary>The body of an address that must answer 200.</summary>
    public async Task<byte[]> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        using var answer = await _http.GetAsync(address, cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return answer.StatusCode == HttpStatusCode.OK ? body
            : throw new InvalidOperationException($"{address} answered {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}");
    }

    /// <summary>Asks each address so many times, one after the other in turn; answers the durations of each.</summary>
    public async Task<IReadOnlyList<Durations>> MeasureAsync(int rounds, IReadOnlyList<Uri> addresses, CancellationToken cancellationToken)
    {
        var all = addresses.Select(_ => new Durations()).ToList();
        for (var round = -WarmUps; round < rounds; round++)
        {
            foreach (var (address, durations) in addresses.Zip(all))
            {
                var began = TimeProvider.System.GetTimestamp();
                await GetAsync(address, cancellationToken);
                if (round >= 0)
                    durations.Add(TimeProvider.System.GetElapsedTime(began));
            }
        }

        return all;
    }

    public void Dispose()
    {
        _http.Dispose();
        _handler.Dispose();
    }
}

/// <summary>The floor of a read: Kestrel without anything around it, an endpoint that runs one SQL text, reads every value, and answers bytes that are ready.</summary>
internal static class BareEndpoint
{
    public static async Task<WebApplication> StartAsync(NpgsqlDataSource db, IReadOnlyDictionary<string, (string Sql, byte[] Body)> answers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        foreach (var (path, (sql, body)) in answers)
            app.MapGet(path, http => AnswerAsync(http, db, sql, body));
        await app.StartAsync(cancellationToken);
        return app;
    }

    private static async Task AnswerAsync(HttpContext http, NpgsqlDataSource db, string sql, byte[] body)
    {
        await using (var command = db.CreateCommand(sql))
        await using (var reader = await command.ExecuteReaderAsync(http.RequestAborted))
        {
            var values = new object[reader.FieldCount];
            while (await reader.ReadAsync(http.RequestAborted))
                reader.GetValues(values);
        }

        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}
