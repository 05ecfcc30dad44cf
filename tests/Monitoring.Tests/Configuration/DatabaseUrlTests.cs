using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Tests.Configuration;

public sealed class DatabaseUrlTests
{
    [Test]
    public void Url_and_connection_string_mean_the_same()
    {
        var url = DatabaseUrl.Parse("postgresql://ada:p%40ss%3Aw@db.example:6543/risk?sslmode=require&application_name=x");
        Assert.That((url.Host, url.Port, url.Username, url.Password, url.Database, url.SslMode, url.ApplicationName),
            Is.EqualTo(("db.example", 6543, "ada", "p@ss:w", "risk", SslMode.Require, "x")));
        var pairs = DatabaseUrl.Parse("Host=db.example;Port=6543;Username=ada;Password=p@ss:w;Database=risk");
        Assert.That((pairs.Host, pairs.Port, pairs.Username, pairs.Password, pairs.Database),
            Is.EqualTo((url.Host, url.Port, url.Username, url.Password, url.Database)));
    }

    [Test]
    public void Several_hosts_keep_their_ports()
    {
        var parsed = DatabaseUrl.Parse("postgres://u@a:1,b,[::1]:3/d?target_session_attrs=read-write&sslmode=verify-full");
        Assert.That((parsed.Host, parsed.TargetSessionAttributes, parsed.SslMode),
            Is.EqualTo(("a:1,b:5432,[::1]:3", "read-write", SslMode.VerifyFull)));
    }

    [TestCase("postgresql://u:hunter2@host:abc/d", "port 'abc'")]
    [TestCase("postgresql://u:hunter2@host:70000/d", "port '70000'")]
    [TestCase("postgresql://u:hunter2@/d", "names no host")]
    [TestCase("postgresql://u:hunter2@:5432/d", "names no host")]
    [TestCase("postgresql://u:hunter2@h/d?sslmode=maybe", "parameter 'sslmode'")]
    [TestCase("postgresql://u:hunter2@h/d?foo=1", "parameter 'foo' is not known")]
    [TestCase("Host=h;Password=hunter2;Foo=1", "not a valid connection string")]
    [TestCase("Password=hunter2;Database=d", "names no host")]
    [TestCase("hunter2", "neither a URL")]
    public void Fault_is_named_without_the_password(string text, string problem) =>
        Assert.That(() => DatabaseUrl.Parse(text),
            Throws.TypeOf<FormatException>().With.Message.Contains(problem).And.Message.Not.Contains("hunter2"));
}
