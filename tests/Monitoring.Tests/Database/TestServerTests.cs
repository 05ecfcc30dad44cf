using Monitoring.Data.Configuration;
using Monitoring.Data.Database;

namespace Monitoring.Tests.Database;

/// <summary>Which PostgreSQL the tests themselves use.</summary>
public sealed class TestServerTests
{
    [Test]
    public async Task Container_without_an_engine_is_passed_over()
    {
        await using var server = await TestServer.StartAsync(["docker", "binaries", "npm"], new Uri("tcp://127.0.0.1:1"));
        await using var db = DataSources.Create(DatabaseUrl.Parse(server.Url));
        await using var ask = db.CreateCommand("SELECT 1");
        Assert.That(await ask.ExecuteScalarAsync(), Is.EqualTo(1));
    }

    [Test]
    public void Ways_that_all_fail_are_named_with_their_reasons() =>
        Assert.That(async () => await TestServer.StartAsync(["docker", "nowhere"], new Uri("tcp://127.0.0.1:1")),
            Throws.InvalidOperationException.With.Message.Contains("docker: ").And.Message.Contains("POSTGRES_WAY: 'nowhere' is none of"));
}
