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
    private const int WarmUps = 4000; // until the runtime has compiled both sides anew: two to four seconds after it saw what is hot
    private const int Turns = 3;
    private const int Seed = 1;
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1.5);

    private readonly SocketsHttpHandler _handler = new();
    private readonly HttpClient _http;

    public TimedReads() => _http = new HttpClient(_handler);

    /// <summary>The body of an address that must answer 200.</summary>
    public async Task<byte[]> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        using var answer = await _http.GetAsync(address, cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return answer.StatusCode == HttpStatusCode.OK ? body
            : throw new InvalidOperationException(
                $"{address} answered {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}");
    }

    /// <summary>
    /// Asks each address so many times, one after the other in an order that changes, because whoever follows a large answer finds other
    /// things in the caches of the processor than who follows a small one; answers the durations of each.
    /// </summary>
    public async Task<IReadOnlyList<Durations>> MeasureAsync(int rounds, IReadOnlyList<Uri> addresses, CancellationToken cancellationToken)
    {
        var all = addresses.Select(_ => new Durations()).ToList();
        var order = addresses.Zip(all).ToArray();
        var random = new Random(Seed);
        for (var round = -WarmUps; round < rounds; round++)
        {
            random.Shuffle(order);
            foreach (var (address, durations) in order)
            {
                var began = TimeProvider.System.GetTimestamp();
                await GetAsync(address, cancellationToken);
                if (round >= 0)
                    durations.Add(TimeProvider.System.GetElapsedTime(began));
            }
        }

        return all;
    }

    /// <summary>Asks once and adds how long it took.</summary>
    public async Task TimeAsync(Uri address, Durations durations, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        await GetAsync(address, cancellationToken);
        durations.Add(TimeProvider.System.GetElapsedTime(began));
    }

    /// <summary>
    /// So many clients ask each address as fast as they are answered, one address after the other and that several times; the time that an
    /// answer took of the whole machine, in milliseconds: the inverse of the throughput.
    /// </summary>
    public async Task<IReadOnlyList<double>> MeasureTogetherAsync(int clients, IReadOnlyList<Uri> addresses,
        CancellationToken cancellationToken)
    {
        var answers = new long[addresses.Count];
        var spent = new TimeSpan[addresses.Count];
        for (var turn = -1; turn < Turns; turn++)
        {
            for (var i = 0; i < addresses.Count; i++)
            {
                var (address, began, count) = (addresses[i], TimeProvider.System.GetTimestamp(), 0L);
                await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
                {
                    while (TimeProvider.System.GetElapsedTime(began) < Turn)
                    {
                        await GetAsync(address, cancellationToken);
                        Interlocked.Increment(ref count);
                    }
                }));
                if (turn >= 0) // the first is to warm up
                    (answers[i], spent[i]) = (answers[i] + count, spent[i] + TimeProvider.System.GetElapsedTime(began));
            }
        }

        return [.. answers.Select((count, i) => spent[i].TotalMilliseconds / count)];
    }

    public void Dispose()
    {
        _http.Dispose();
        _handler.Dispose();
    }
}

/// <summary>
/// The floor of a read: Kestrel without anything around it, an endpoint that runs one SQL text, reads every value, and
/// answers bytes that are ready.
/// </summary>
internal static class BareEndpoint
{
    public static async Task<WebApplication> StartAsync(
        NpgsqlDataSource db, IReadOnlyDictionary<string, (string Sql, byte[] Body)> answers, CancellationToken cancellationToken)
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
