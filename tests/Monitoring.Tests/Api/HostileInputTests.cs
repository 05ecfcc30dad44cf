using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>
/// Ten thousand requests of people who mean harm or know no better: no defect shows, nothing is changed,
/// nothing comes back as markup.
/// </summary>
[SuppressMessage("Security", "CA5394", Justification = "the choice of inputs needs no secret, and must be the same each time")]
public sealed class HostileInputTests
{
    private const int Inputs = 10_000;

    private static readonly string[] Payloads =
    [
        "'", "\"", "' OR '1'='1", "1; DROP TABLE security_events; --", "'; DELETE FROM monitors; --",
        "1 UNION SELECT key FROM cursor_key", "$1", "@limit", "{0}", "%s%s%n",
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "{{7*7}}", "${jndi:ldap://x/a}", "`id`",
        "$(id)", "| id", "; sleep 9", "pg_sleep(9)", "../../../../etc/passwd", "..\\..\\windows\\win.ini", "....//....//etc/passwd",
        "/etc/passwd", "file:///etc/passwd", "http://169.254.169.254/", "\\\\host\\share",
        "\0", "a\0b", "\r\nSet-Cookie: a=b", "\n", "\t", "\u202e", "\ufeff", "\ud83d\ude00", "٣", "𝟙", "ﬁ", "é", "İ", "\u0000\u0001\u0002",
        "-1", "0", "-0", "1e308", "1e-400", "NaN", "Infinity", "-Infinity", "0x7fffffff", "2147483648", "9223372036854775808",
        "340282366920938463463374607431768211456", "99999999999999999999999999999999999999999999999999", "1,000", "1_000", "١٢٣", "+1",
        " 1", "1 ", "1.0", "true", "null", "undefined", "[]", "{}", "[object Object]",
        "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2026-02-30T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T00:00:00+99:00", "infinity", "epoch", "now",
        "00000000-0000-0000-0000-000000000000", "text/csv;q=abc", "text/csv;;;;,,,", "*/*;q=2", "W/\"", "\"\"\"",
        "bytes=0-,1-,2-", "gzip;q=", "chunked, chunked",
    ];

    private static readonly string[] Headers =
    [
        "Accept", "Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range", "Last-Event-ID", "Authorization",
        "X-API-Key", "User-Agent", "Cookie", "Referer", "Origin",
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-HTTP-Method-Override",
        "X-Original-URL", "Content-Type", "Expect", "Upgrade", "TE", "Transfer-Encoding", "Content-Length", "Host",
    ];

    private static readonly string[] Targets =
    [
        "//", "/../", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fappsettings.json", "/%252e%252e/", "/wwwroot/../ApiHost.cs",
        "/security/events/..;/", "/security/events/%00", "/security//events", "/SECURITY/EVENTS",
        "/security/events/%ff%fe", "/%c0%ae%c0%ae/", "/security/events?", "/security/events?=", "/security/events?&&&",
        "/security/events?limit", "/security/events?limit=%", "/security/events?limit=%zz",
        "/security/events?%00=1", "/security/events?limit=%c3%28", "/badge/<script>.svg", "/badge/..%2f.svg",
        "/badge/%3Cscript%3E.svg", "/docs/../../x", "*", "http://other.example/security/events", "/a b",
        "/\u00e9", "/security/events#x", "/security/events/{eventId}", "/index.html%00.txt", "/lib/../../Monitoring.Api.dll",
        "/favicon.svg/", "/health/live/..", "/metrics?x=1", "/openapi/v2.json", "/openapi/../v1.json",
    ];

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
    public async Task Ten_thousand_hostile_inputs_change_nothing()
    {
        var paths = (await _api.GetAsync("/openapi/v1.json"))["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject()
                .Select(operation => (Path: path.Key, Method: operation.Key.ToUpperInvariant(), Names: NamesOf(operation.Value!))))
            .ToArray();
        var random = new Random(42);
        var requests = Enumerable.Range(0, Inputs).Select(_ => Build(random, paths)).ToList();
        var before = await SampleRows.FingerprintAsync(_db);
        var bad = new ConcurrentBag<string>();
        var statuses = new ConcurrentDictionary<int, int>();
        await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (request, _) =>
        {
            var answer = await RawHttp.SendAsync(_api.Http.BaseAddress!, request);
            statuses.AddOrUpdate(answer.Status, 1, (_, count) => count + 1);
            var markup = answer.Head.Contains("text/html") || answer.Head.Contains("image/svg");
            if (answer.Status >= 500 || answer.Head.Contains("Set-Cookie") || (markup
                && (answer.Body.Contains("<script>alert") || answer.Body.Contains("onerror=") || answer.Body.Contains("onload="))))
                bad.Add($"{answer.Status} for {Encoding.Latin1.GetString(request.AsSpan(0, Math.Min(request.Length, 300)))}");
        });
        Assert.That(bad.Take(10), Is.Empty);
        Assert.That(statuses.Values.Sum(), Is.EqualTo(Inputs));
        Assert.That((statuses[200] > 500, statuses[400] > 2000, statuses[404] > 100), Is.EqualTo((true, true, true)),
            string.Join(", ", statuses));
        Assert.That(await SampleRows.FingerprintAsync(_db), Is.EqualTo(before));
        Assert.That(_api.Logs.Lines.Where(line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Error), Is.Empty);
        Assert.That((string)(await _api.GetAsync("/health/ready"))["status"]!, Is.EqualTo("ready"));
    }

    private static string[] NamesOf(JsonNode operation) =>
        [.. operation["parameters"]?.AsArray().Where(p => (string)p!["in"]! == "query").Select(p => (string)p!["name"]!) ?? [],
            "no_such_parameter"];

    private static byte[] Build(Random random, (string Path, string Method, string[] Names)[] paths)
    {
        var (path, method, names) = paths[random.Next(paths.Length)];
        var payload = random.Next(25) switch
        {
            0 => new string('A', random.Next(1000, 20_000)),
            1 => string.Concat(Enumerable.Repeat("%27", 400)),
            _ => Payloads[random.Next(Payloads.Length)],
        };
        path = path.Replace("{eventId}", random.Next(2) == 0 ? "c4ca4238-a0b9-2382-0dcc-509a6f75849b" : Escape(payload)).Replace(
            "{monitor}", random.Next(2) == 0 ? "oracle" : Escape(payload));
        path = path.Contains('{') ? path.Replace("{", "").Replace("}", "") : path;
        var header = "X-Nothing: 1";
        switch (random.Next(6))
        {
            case 0:
                header = $"{Headers[random.Next(Headers.Length)]}: {payload}";
                break;
            case 1:
                path = Targets[random.Next(Targets.Length)];
                break;
            case 2:
                path += "?" + string.Join('&', names.Select(name => $"{name}={Escape(Payloads[random.Next(Payloads.Length)])}"));
                break;
            case 3:
                // unescaped, also bytes that are no UTF-8
                path += $"?{names[random.Next(names.Length)]}={payload.Replace(' ', '+').Replace("\r", "").Replace("\n", "")}";
                break;
            default:
                path += $"?{names[random.Next(names.Length)]}={Escape(payload)}";
                break;
        }

        if (random.Next(40) == 0)
            method = random.Next(4) switch { 0 => "POST", 1 => "DELETE", 2 => "TRACE", _ => "FOO\u00e9" };
        var text = $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n";
        return random.Next(3) == 0 ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);
    }

    private static string Escape(string payload)
    {
        var text = new StringBuilder();
        foreach (var part in Encoding.UTF8.GetBytes(payload))
            text.Append(char.IsAsciiLetterOrDigit((char)part) ? ((char)part).ToString() : $"%{part:x2}");
        return text.ToString();
    }
}
