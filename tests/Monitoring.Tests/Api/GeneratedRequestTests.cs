using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>Calls every operation of the OpenAPI document with values made from its own words, and holds the answers against it.</summary>
[SuppressMessage("Security", "CA5394", Justification = "the choice of values needs no secret, and must be the same each time")]
public sealed class GeneratedRequestTests
{
    private const int Requests = 2400;
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

    private sealed record Given(string Name, string In, string Value, bool IsAllowed);

    private sealed record Call(string Path, JsonNode Operation, IReadOnlyList<Given> Parameters, string Accept);

    [Test]
    public async Task Every_operation_keeps_what_the_document_says()
    {
        var document = await _api.GetAsync("/openapi/v1.json");
        var operations = document["paths"]!.AsObject()
            .Where(path => path.Value!["get"] is not null)
            .Select(path => (path.Key, Operation: path.Value!["get"]!))
            .ToList();
        var random = new Random(20261121);
        // Every value of every parameter alone, then mixtures.
        var calls = operations.SelectMany(op => Parameters(op.Operation)
            .SelectMany(p => Values(p))
            .Select(given => new Call(op.Key, op.Operation, [given], "application/json")))
            .Concat(operations.SelectMany(op =>
                new[] { "application/json", "text/csv", "application/x-ndjson" }.Select(form => new Call(op.Key, op.Operation, [], form))))
            .ToList();
        while (calls.Count < Requests)
        {
            var (path, operation) = operations[random.Next(operations.Count)];
            var given = Parameters(operation).Where(_ => random.Next(3) > 0)
                .Select(p => Values(p).Where(v => v.IsAllowed || random.Next(8) == 0).ToArray())
                .Where(values => values.Length > 0).Select(values => values[random.Next(values.Length)]).ToList();
            calls.Add(new Call(
                path, operation, given, random.Next(4) switch { 0 => "text/csv", 1 => "application/x-ndjson", _ => "application/json" }));
        }

        var faults = new ConcurrentBag<string>();
        var statuses = new ConcurrentDictionary<HttpStatusCode, int>();
        var check = new JsonSchemaCheck(document);
        await Parallel.ForEachAsync(
            calls, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (call, _) => await TryAsync(call, check, faults, statuses));
        Assert.That(faults.Take(20), Is.Empty);
        Assert.That(statuses.Keys, Is.SubsetOf(new[] { HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.NotFound }));
        Assert.That((statuses[HttpStatusCode.OK] > 500, statuses[HttpStatusCode.BadRequest] > 500, statuses.Values.Sum() >= 2000),
            Is.EqualTo((true, true, true)), string.Join(", ", statuses));
        Assert.That(_api.Logs.Lines.Where(line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning), Is.Empty);
    }

    private async Task TryAsync(
        Call call, JsonSchemaCheck check, ConcurrentBag<string> faults, ConcurrentDictionary<HttpStatusCode, int> statuses)
    {
        var path = call.Parameters.Where(given => given.In == "path")
            .Aggregate(call.Path, (text, given) => text.Replace($"{{{given.Name}}}", Uri.EscapeDataString(given.Value)));
        path = path.Replace("{eventId}", "c4ca4238-a0b9-2382-0dcc-509a6f75849b").Replace("{monitor}", "hlp-vault");
        var query = string.Join(
            '&', call.Parameters.Where(given => given.In == "query").Select(given => $"{given.Name}={Uri.EscapeDataString(given.Value)}"));
        using var request = new HttpRequestMessage(HttpMethod.Get, query.Length > 0 ? $"{path}?{query}" : path);
        request.Headers.TryAddWithoutValidation("Accept", call.Accept);
        foreach (var header in call.Parameters.Where(given => given.In == "header"))
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        using var response = await _api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        statuses.AddOrUpdate(response.StatusCode, 1, (_, count) => count + 1);
        var name = $"{request.RequestUri} [{call.Accept}]";
        var form = response.Content.Headers.ContentType?.MediaType ?? "";
        if (call.Operation["responses"]![$"{(int)response.StatusCode}"]?["content"]?[form] is not { } described)
            faults.Add($"{name}: {(int)response.StatusCode} as '{form}' is not in the document");
        else if (form is not "text/event-stream")
            FindFaults(call, response.StatusCode, form, await response.Content.ReadAsStringAsync(), described, check)
                .ForEach(fault => faults.Add($"{name}: {fault}"));
    }

    private static List<string> FindFaults(
        Call call, HttpStatusCode status, string form, string text, JsonNode described, JsonSchemaCheck check)
    {
        var faults = new List<string>();
        var json = form.EndsWith("json", StringComparison.Ordinal) && form != "application/x-ndjson" ? JsonNode.Parse(text) : null;
        if (json is not null)
            faults.AddRange(check.FindFaults(json, described["schema"]!));
        var wrong = call.Parameters.Where(given => !given.IsAllowed).Select(given => given.Name).ToList();
        var named = status == HttpStatusCode.BadRequest ? json!["errors"]!.AsObject().Select(error => error.Key).ToList() : [];
        if (wrong.Count > 0 && wrong.All(name => call.Parameters.Any(given => given.Name == name && given.In != "path"))
            && !wrong.All(named.Contains))
            faults.Add($"{(int)status} names {string.Join(", ", named)} instead of {string.Join(", ", wrong)}");
        if (wrong.Count == 0 && status == HttpStatusCode.BadRequest && !named.All(name => name is "from" or "hours"))
            faults.Add($"refuses {string.Join(", ", named)}, which the document allows");
        return faults;
    }

    private static IEnumerable<JsonNode> Parameters(JsonNode operation) => operation["parameters"]?.AsArray().Select(p => p!) ?? [];

    private static IEnumerable<Given> Values(JsonNode parameter)
    {
        var (name, place, schema) = ((string)parameter["name"]!, (string)parameter["in"]!, parameter["schema"]!);
        string[] allowed = (name, (string?)schema["type"]) switch
        {
            (_, "boolean") => ["true", "false"],
            (_, "integer") =>
                [$"{schema["minimum"]}", $"{schema["maximum"]}", $"{((long)schema["minimum"]! + (long)schema["maximum"]!) / 2}"],
            (_, "number") => [$"{schema["minimum"]}", $"{schema["maximum"]}", "1.25"],
            (_, _) when schema["enum"] is JsonArray names => [.. names.Select(value => (string)value!)],
            ("from", _) => ["1970-01-02T00:00:00Z", "2026-11-21T11:00:00Z", "2026-11-21T12:30:00.5+02:00"],
            ("to", _) => ["9999-12-31T00:00:00Z", "2026-11-21T11:30:00Z"],
            ("coin", _) => ["BTC", "kPEPE", "xyz:TSLA", "PURR/USDC", "@107", new string('a', 32)],
            ("asset", _) => ["BTC", "nosuch", new string('A', 20)],
            ("threat_type", _) => ["hlp_exploitation", "a", new string('a', 64)],
            ("eventId", _) => ["c4ca4238-a0b9-2382-0dcc-509a6f75849b", "00000000-0000-0000-0000-000000000000"],
            ("monitor", _) => ["hlp-vault", "oracle", "none"],
            ("before", _) => [],
            _ => throw new InvalidOperationException($"no allowed values are known for {name}: add some"),
        };
        string[] refused = place == "path" ? [] : (string?)schema["type"] switch
        {
            "integer" => [$"{(long)schema["maximum"]! + 1}", "-1", "1.5", "1e2", "abc", " 1", "+1", "0x1", "99999999999999999999"],
            "number" => ["100.1", "-0.1", "NaN", "Infinity", "1e5", "abc", "0,5"],
            "boolean" => ["TRUE", "1", "yes", ""],
            _ => ["", "\0", "'; DROP TABLE monitors --", "<script>alert(1)</script>", new string('a', 700), "é",
                "../../etc/passwd", "%00", "2026-11-21", "2026-13-41T99:00:00Z", "2026-11-21T09:00:00"],
        };
        if (place == "header")
            refused =
                [.. refused.Where(value => value.Trim().Length > 0 && value.All(c => c is >= ' ' and < '\x7f') && !value.StartsWith(' '))];
        return allowed.Select(value => new Given(name, place, value, true))
            .Concat(refused.Where(value => !IsAllowed(value, schema)).Select(value => new Given(name, place, value, false)));
    }

    private static bool IsAllowed(string value, JsonNode schema) =>
        schema["type"]!.ToString() == "string" && schema["enum"] is null && (string?)schema["pattern"] is { } pattern
        && Regex.IsMatch(value, pattern, RegexOptions.None, TimeSpan.FromSeconds(1))
        && ((string?)schema["format"] != "date-time" || DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out _));
}
