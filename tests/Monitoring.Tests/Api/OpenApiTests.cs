using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;

namespace Monitoring.Tests.Api;

public sealed class OpenApiTests
{
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _api = await ApiUnderTest.StartAsync(_db, TimeProvider.System);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    [Test]
    public async Task Document_is_the_committed_one() => Snapshot.Matches("Monitoring.Api/openapi.json",
        (await _api.GetAsync("/openapi/v1.json")).ToJsonString(new JsonSerializerOptions
        {
            WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }));

    [Test]
    public async Task Every_operation_has_a_summary_an_id_and_its_faults()
    {
        foreach (var (path, operations) in (await _api.GetAsync("/openapi/v1.json"))["paths"]!.AsObject())
            foreach (var (method, operation) in operations!.AsObject())
            {
                Assert.That((string?)operation!["summary"], Is.Not.Null.And.Not.Empty, $"{method} {path}");
                Assert.That((string?)operation["operationId"], Is.Not.Null.And.Not.Empty, $"{method} {path}");
                Assert.That(operation["responses"]!["400"], Is.Not.Null, $"{method} {path}");
            }
    }

    /// <summary>Every parameter of every operation, with each value that it must refuse; and a parameter that nobody declared.</summary>
    [Test]
    public async Task Bad_parameter_gives_400_that_names_it()
    {
        var asked = 0;
        foreach (var (template, operations) in (await _api.GetAsync("/openapi/v1.json"))["paths"]!.AsObject())
        {
            if (operations!["get"] is null)
                continue;
            var path = template.Replace("{eventId}", Guid.Empty.ToString());
            var parameters = operations!["get"]!["parameters"]?.AsArray().Where(p => (string)p!["in"]! == "query").ToList() ?? [];
            var bad = parameters.SelectMany(p => BadValues(p!["schema"]!).Select(value => (Name: (string)p["name"]!, Value: value)))
                .Append(("no_such_parameter", "1"));
            foreach (var (name, value) in bad)
            {
                using var response = await _api.Http.GetAsync($"{path}?{name}={Uri.EscapeDataString(value)}");
                var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
                Assert.That((response.StatusCode, response.Content.Headers.ContentType?.MediaType),
                    Is.EqualTo((HttpStatusCode.BadRequest, "application/problem+json")), $"{path}?{name}={value}");
                Assert.That(problem["errors"]![name], Is.Not.Null, $"{path}?{name}={value}");
                Assert.That((string)problem["detail"]!, Does.StartWith(name), $"{path}?{name}={value}");
                asked++;
            }

            foreach (var parameter in parameters.Where(p => p!["schema"]!["minimum"] is not null))
                foreach (var bound in new[] { "minimum", "maximum" })
                    using (var response = await _api.Http.GetAsync($"{path}?{parameter!["name"]}={parameter["schema"]![bound]}"))
                        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK).Or.EqualTo(HttpStatusCode.NotFound),
                            $"{path} {parameter["name"]} {bound}");
        }

        Assert.That(asked, Is.GreaterThan(80));
    }

    [Test]
    public async Task Parameter_given_twice_is_refused()
    {
        using var response = await _api.Http.GetAsync("/security/events?limit=5&limit=6");
        Assert.That((response.StatusCode, await response.Content.ReadAsStringAsync()),
            Is.EqualTo((HttpStatusCode.BadRequest, await response.Content.ReadAsStringAsync())));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("limit must be given once"));
    }

    private static IEnumerable<string> BadValues(JsonNode schema) => (string)schema["type"]! == "integer"
        ? ["0", $"{(long)schema["maximum"]! + 1}", "-1", "abc", "", "9223372036854775808", "1.5", "1e2", " 1", "+1",
            "0x1", "١", "1\0", "1;DROP TABLE monitors"]
        : new[] { "", "ABC", "'; DROP TABLE monitors --", new string('a', 300), "é", "null\0" }
            .Where(value => (string?)schema["pattern"] is not { } pattern
                || !Regex.IsMatch(value, pattern, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)));
}
