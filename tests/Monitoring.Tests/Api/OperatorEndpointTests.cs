using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Monitoring.Tests.Access;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>What operators do over HTTP, without keys on a loopback address.</summary>
public sealed class OperatorEndpointTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private readonly Guid _id = Guid.CreateVersion7();
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync(EventSample.InsertSql, new { id = _id, fingerprint = "r:s" });
        _api = await ApiUnderTest.StartAsync(_db, _clock);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private async Task<(int Status, JsonNode Answer)> PostAsync(string path, string body, string type = "application/json")
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var response = await _api.Http.PostAsync(path, content);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    [Test]
    public async Task Event_is_acknowledged_and_resolved_once()
    {
        var (status, answer) = await PostAsync($"/security/events/{_id}/acknowledge", """{"note":"I look — 🙂"}""");
        Assert.That((status, (bool)answer["changed"]!, (string)answer["event"]!["status"]!,
            (string)answer["event"]!["acknowledged_by"]!, (string)answer["event"]!["acknowledged_at"]!),
            Is.EqualTo((200, true, "acknowledged", "anonymous", "2026-11-21T12:00:00Z")));
        Assert.That((bool)(await PostAsync($"/security/events/{_id}/acknowledge", "{}")).Answer["changed"]!, Is.False);

        (status, answer) = await PostAsync($"/security/events/{_id}/resolve", """{"note":"over"}""");
        Assert.That((status, (bool)answer["changed"]!, (string)answer["event"]!["status"]!, (string)answer["event"]!["resolution"]!),
            Is.EqualTo((200, true, "resolved", "over")));
        (status, answer) = await PostAsync($"/security/events/{_id}/resolve", """{"note":"over"}""");
        Assert.That((status, (bool)answer["changed"]!), Is.EqualTo((200, false)));
        Assert.That((await PostAsync($"/security/events/{_id}/resolve", """{"note":"something else"}""")).Status, Is.EqualTo(409));
        Assert.That((await PostAsync($"/security/events/{_id}/acknowledge", "{}")).Status, Is.EqualTo(409));

        var changes = (await _api.GetAsync($"/security/events/{_id}"))["changes"]!.AsArray();
        Assert.That(changes.Select(change => $"{change!["kind"]} {change["actor"]} {change["note"]}"),
            Is.EqualTo(new[] { "acknowledged anonymous I look — 🙂", "resolved anonymous over" }));
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(
            await connection.QueryAsync<string>("SELECT concat_ws(' ', actor, origin, action, subject) FROM audit_log ORDER BY seq"),
            Is.EqualTo(new[] { $"anonymous 127.0.0.1 event.acknowledge {_id}", $"anonymous 127.0.0.1 event.resolve {_id}" }));
    }

    [TestCase("{", "body")]
    [TestCase("", "body")]
    [TestCase("null", "body")]
    [TestCase("[]", "body")]
    [TestCase("\"x\"", "body")]
    [TestCase("{\"note\":1}", "note")]
    [TestCase("{\"note\":{\"a\":1}}", "note")]
    [TestCase("{\"note\":\"\"}", "note")]
    [TestCase("{\"note\":\"  \"}", "note")]
    [TestCase("{\"note\":\"a\\u0000b\"}", "note")]
    [TestCase("{\"note\":\"a\\nb\"}", "note")]
    [TestCase("{\"note\":\"\\ud800\"}", "note")]
    [TestCase("{\"note\":\"a\",\"note\":\"b\"}", "note")]
    [TestCase("{\"Note\":\"a\"}", "Note")]
    [TestCase("{\"note\":\"a\",\"status\":\"resolved\"}", "status")]
    [TestCase("{\"note\":\"a\"} {}", "body")]
    public async Task Body_that_cannot_be_meant_is_refused_by_name(string body, string member)
    {
        foreach (var action in new[] { "acknowledge", "resolve" })
        {
            var (status, answer) = await PostAsync($"/security/events/{_id}/{action}", body);
            Assert.That((status, answer["errors"]?[member] is null), Is.EqualTo((400, false)), $"{action} {answer}");
        }
    }

    [Test]
    public async Task Other_faults_have_their_own_answers()
    {
        Assert.That((await PostAsync($"/security/events/{_id}/resolve", "{}")).Answer["errors"]!["note"], Is.Not.Null,
            "a resolution says why");
        Assert.That((await PostAsync($"/security/events/{_id}/resolve", $$"""{"note":"{{new string('a', 1001)}}"}""")).Status,
            Is.EqualTo(400));
        Assert.That((await PostAsync($"/security/events/{Guid.Empty}/acknowledge", "{}")).Status, Is.EqualTo(404));
        Assert.That((await PostAsync("/security/events/nonsense/acknowledge", "{}")).Status, Is.EqualTo(404));
        Assert.That((await PostAsync($"/security/events/{_id}/acknowledge?force=1", "{}")).Answer["errors"]!["force"], Is.Not.Null);
        foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data" })
            Assert.That((await PostAsync($"/security/events/{_id}/acknowledge", "{}", type)).Status, Is.EqualTo(415), type);
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<string>("SELECT status FROM security_events"), Is.EqualTo("open"));
    }

    [Test]
    public async Task Many_at_once_act_once()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PostAsync($"/security/events/{_id}/acknowledge", "{}")));
        Assert.That(answers.Select(answer => answer.Status), Has.All.EqualTo((int)HttpStatusCode.OK));
        Assert.That(answers.Count(answer => (bool)answer.Answer["changed"]!), Is.EqualTo(1));
    }

    [Test]
    public async Task Finding_is_silenced_longer_and_shorter()
    {
        var (status, answer) = await PostAsync(
            "/security/silences", $$"""{"event_id":"{{_id}}","until":"2026-11-21T15:00:00+01:00","note":"known"}""");
        var first = answer["silence"]!;
        Assert.That((status, (bool)answer["changed"]!, (string)first["fingerprint"]!, (string)first["until"]!,
            (bool)first["is_active"]!, (string)first["created_by"]!, (string)first["note"]!),
            Is.EqualTo((200, true, "r:s", "2026-11-21T14:00:00Z", true, "anonymous", "known")));
        (_, answer) = await PostAsync("/security/silences", """{"fingerprint":"r:s","until":"2026-11-21T14:00:00Z","note":"known"}""");
        Assert.That(((bool)answer["changed"]!, (string)answer["silence"]!["id"]!),
            Is.EqualTo((false, (string)first["id"]!)), "the same again");
        (_, answer) = await PostAsync("/security/silences", """{"fingerprint":"r:s","until":"2026-11-21T12:00:01Z"}""");
        Assert.That((bool)answer["changed"]!, Is.True);

        Assert.That((await _api.GetAsync("/security/silences"))["silences"]!.AsArray().Select(silence => (string)silence!["until"]!),
            Is.EqualTo(new[] { "2026-11-21T12:00:01Z" }), "in place of the longer one");
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((int)(await _api.GetAsync("/security/silences"))["count"]!, Is.Zero);
        var all = await _api.GetAsync("/security/silences?active_only=false&limit=1");
        var rest = await _api.GetAsync($"/security/silences?active_only=false&limit=1&before={all["next"]}");
        Assert.That(all["silences"]!.AsArray().Concat(rest["silences"]!.AsArray()).Select(silence => (string)silence!["id"]!).ToList(),
            Is.Unique.And.Count.EqualTo(2));
        Assert.That(
            (await _api.GetAsync($"/security/events/{_id}"))["changes"]!.AsArray().Select(change => $"{change!["kind"]} {change["note"]}"),
            Is.EqualTo(new[] { "silenced until 2026-11-21T14:00:00Z: known", "silenced until 2026-11-21T12:00:01Z" }));
    }

    [TestCase("""{"until":"2026-11-21T14:00:00Z"}""", "fingerprint")]
    [TestCase("""{"fingerprint":"r:s","event_id":"00000000-0000-0000-0000-000000000000","until":"2026-11-21T14:00:00Z"}""", "fingerprint")]
    [TestCase("""{"fingerprint":"","until":"2026-11-21T14:00:00Z"}""", "fingerprint")]
    [TestCase("""{"fingerprint":"a\u0000","until":"2026-11-21T14:00:00Z"}""", "fingerprint")]
    [TestCase("""{"event_id":"1","until":"2026-11-21T14:00:00Z"}""", "event_id")]
    [TestCase("""{"fingerprint":"r:s"}""", "until")]
    [TestCase("""{"fingerprint":"r:s","until":"2026-11-21T11:59:59Z"}""", "until")]
    [TestCase("""{"fingerprint":"r:s","until":"2026-11-21T14:00:00"}""", "until")]
    [TestCase("""{"fingerprint":"r:s","until":"2028-01-01T00:00:00Z"}""", "until")]
    [TestCase("""{"fingerprint":"r:s","until":"9999-99-99T00:00:00Z"}""", "until")]
    [TestCase("""{"fingerprint":"r:s","until":5}""", "until")]
    [TestCase("""{"fingerprint":"r:s","until":"2026-11-21T14:00:00Z","note":""}""", "note")]
    public async Task Silence_that_cannot_be_meant_is_refused_by_name(string body, string member)
    {
        var (status, answer) = await PostAsync("/security/silences", body);
        Assert.That((status, answer["errors"]?[member] is null), Is.EqualTo((400, false)), $"{answer}");
    }

    [Test]
    public async Task Silence_of_what_was_never_found_is_refused()
    {
        Assert.That((await PostAsync("/security/silences", """{"fingerprint":"r:misspelt","until":"2026-11-21T14:00:00Z"}""")).Status,
            Is.EqualTo(404));
        Assert.That((await PostAsync("/security/silences", $$"""{"event_id":"{{Guid.Empty}}","until":"2026-11-21T14:00:00Z"}""")).Status,
            Is.EqualTo(404));
    }
}
