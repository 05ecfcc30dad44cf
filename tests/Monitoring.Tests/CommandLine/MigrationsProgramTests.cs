using Npgsql;

namespace Monitoring.Tests.CommandLine;

public sealed class MigrationsProgramTests
{
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CreateDatabase() => _db = await TestDatabase.CreateEmptyAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private async Task<(int Code, string Text)> RunAsync(string arguments, string? url = null)
    {
        var (code, output, errors) = await ProgramUnderTest.RunAsync(
            "Monitoring.Migrations", arguments, ("DATABASE_URL", url ?? TestDatabase.ConnectionTo(_db).ConnectionString));
        return (code, output + errors);
    }

    [Test]
    public async Task Exit_codes_are_those_of_the_contract()
    {
        Assert.That((await RunAsync("status")).Code, Is.EqualTo(3), "pending");
        Assert.That((await RunAsync("up")).Code, Is.Zero);
        Assert.That(await RunAsync("up"), Is.EqualTo((0, "nothing to do\n")));
        Assert.That((await RunAsync("status --json")).Code, Is.Zero);
        Assert.That((await RunAsync("down --steps 2")).Code, Is.Zero);
        Assert.That((await RunAsync("status")).Code, Is.EqualTo(3));
        Assert.That((await RunAsync("to 5")).Code, Is.EqualTo(2), "no such version");
        Assert.That((await RunAsync("down --steps 0")).Code, Is.EqualTo(2));
        Assert.That((await RunAsync("sideways")).Code, Is.EqualTo(2));
        var (code, text) = await RunAsync("up", "nonsense");
        Assert.That((code, text[..33]), Is.EqualTo((2, "DATABASE_URL: is neither a URL no")));
        (code, text) = await RunAsync("up", "Host=127.0.0.1;Port=1;Database=d;Username=u");
        Assert.That((code, text), Is.EqualTo((1, text)));
        Assert.That(text, Does.StartWith("the database cannot be used:").And.Contains("refused"));
    }

    [Test]
    public async Task Output_is_one_line_for_each_migration_and_the_script_is_sql_alone()
    {
        var (code, script) = await RunAsync("script");
        Assert.That((code, script), Is.EqualTo((0, script)));
        Assert.That(script, Does.StartWith("CREATE TABLE \"public\".\"VersionInfo\"").And.EndsWith("COMMIT;\n").And.Not.Contains("/*"));
        var lines = (await RunAsync("up")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.All.Match("^applied [0-9]{12}  [^ ]"));
        Assert.That((await RunAsync("down --steps 100")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Is.EqualTo(lines.Reverse().Select(line => line.Replace("applied", "reverted"))));
        Assert.That((await RunAsync("script")).Text, Does.Not.Contain("CREATE TABLE \"public\".\"VersionInfo\"").And.StartsWith("\n-- "));
        Assert.That(await RunAsync("up"), Is.EqualTo((0, string.Join('\n', lines) + "\n")));
    }

    [Test]
    public async Task Two_programs_at_once_migrate_once()
    {
        var both = await Task.WhenAll(RunAsync("up"), RunAsync("up"));
        Assert.That(both.Select(run => run.Code), Has.All.Zero);
        Assert.That(both.Select(run => run.Text), Has.One.Contains("applied").And.One.Contains("nothing to do"));
    }
}
