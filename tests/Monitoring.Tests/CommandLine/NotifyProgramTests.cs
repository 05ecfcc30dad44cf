using Dapper;
using Npgsql;

namespace Monitoring.Tests.CommandLine;

public sealed class NotifyProgramTests
{
    private NpgsqlDataSource _db = null!;
    private ReceiverUnderTest _receiver = null!;

    [SetUp]
    public async Task Start() => (_db, _receiver) = (await TestDatabase.CloneAsync(), await ReceiverUnderTest.StartAsync());

    [TearDown]
    public async Task Stop()
    {
        await _receiver.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private Task<(int ExitCode, string Output, string Errors)> RunAsync(string channel, params (string, string)[] settings) =>
        ProgramUnderTest.RunAsync(
            "Monitoring.Worker", $"notify test {channel}", [("SLACK_WEBHOOK_URL", $"{_receiver.Url}/secret-path"), .. settings]);

    [Test]
    public async Task Test_message_is_marked_sent_and_recorded()
    {
        var (code, output, errors) = await RunAsync("slack", ("DATABASE_URL", TestDatabase.ConnectionTo(_db).ConnectionString));
        Assert.That((code, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.Match("^slack: test message [0-9a-f-]{36} delivered"));
        Assert.That(_receiver.Received.Single().Text, Does.Contain("[TEST]").And.Contain("nothing has happened"));
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<string>("SELECT concat_ws(' ', channel, outcome, reason) FROM channel_tests"),
            Is.EqualTo("slack delivered"));
    }

    [Test]
    public async Task Refused_test_says_why_and_is_recorded()
    {
        _receiver.AnswerWith(404, "no_service at /secret-path");
        var (code, output, errors) = await RunAsync("slack", ("DATABASE_URL", TestDatabase.ConnectionTo(_db).ConnectionString));
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.Contain("refused: HTTP 404: no_service at ***"));
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<string>("SELECT outcome FROM channel_tests WHERE reason LIKE 'HTTP 404%'"),
            Is.EqualTo("dead"));
    }

    [Test]
    public async Task Without_a_database_it_is_sent_all_the_same() => Assert.That((await RunAsync("slack")).ExitCode, Is.Zero);

    [Test]
    public async Task Unknown_channel_names_the_configured_ones()
    {
        var (code, _, errors) = await RunAsync("carrier-pigeon");
        Assert.That((code, errors.Trim()), Is.EqualTo((2, "channel 'carrier-pigeon' is not configured; configured: slack")));
        Assert.That(_receiver.Received, Is.Empty);
    }

    [Test]
    public async Task Half_a_channel_is_a_fault()
    {
        var (code, _, errors) = await RunAsync("slack", ("TELEGRAM_BOT_TOKEN", "123456:AbC-dEf_0123456789"));
        Assert.That((code, errors.Trim()), Is.EqualTo((1, "TELEGRAM_CHAT_ID: is not set, but TELEGRAM_BOT_TOKEN is; set both or neither")));
    }
}
