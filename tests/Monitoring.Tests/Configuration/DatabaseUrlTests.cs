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

    // What psql takes, and what it means to Npgsql.
    [TestCase("postgresql://h/d?target_session_attrs=read-write", "Host=h;Port=5432;Database=d;Target Session Attributes=read-write")]
    [TestCase("postgresql://h/d?channel_binding=require", "Host=h;Port=5432;Database=d;Channel Binding=Require")]
    [TestCase("postgresql://h/d?gssencmode=disable", "Host=h;Port=5432;Database=d;GSS Encryption Mode=Disable")]
    [TestCase("postgresql://h/d?keepalives=1", "Host=h;Port=5432;Database=d;TCP Keepalive=True")]
    [TestCase("postgresql://h/d?keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=5",
        "Host=h;Port=5432;Database=d;TCP Keepalive Time=30;TCP Keepalive Interval=10")]
    [TestCase("postgresql://h/d?keepalives_interval=10",
        "Host=h;Port=5432;Database=d;TCP Keepalive Time=7200;TCP Keepalive Interval=10")]
    [TestCase("postgresql://h/d?keepalives=0&keepalives_idle=30&tcp_user_timeout=1000", "Host=h;Port=5432;Database=d")]
    [TestCase("postgresql://h/?user=ada&password=p%26w&dbname=d&port=1", "Host=h;Port=1;Username=ada;Password=p&w;Database=d")]
    [TestCase("postgresql:///d?host=/var/run/postgresql", "Host=/var/run/postgresql;Port=5432;Database=d")]
    [TestCase("postgresql://%2Fvar%2Frun%2Fpostgresql:5433/d", "Host=/var/run/postgresql;Port=5433;Database=d")]
    [TestCase("postgresql://ada@%2Ftmp,b:1/d", "Host=/tmp:5432,b:1;Username=ada;Database=d")]
    [TestCase("postgresql://h/d?hostaddr=10.0.0.1", "Host=10.0.0.1;Port=5432;Database=d")]
    [TestCase("postgresql://a,b,c/d?load_balance_hosts=random", "Host=a:5432,b:5432,c:5432;Database=d;Load Balance Hosts=True")]
    [TestCase("postgresql://h/d?ssl=true&fallback_application_name=x",
        "Host=h;Port=5432;Database=d;SSL Mode=Require;Application Name=x")]
    [TestCase("postgresql://h/d?sslmode=verify-full&sslrootcert=system&sslsni=1", "Host=h;Port=5432;Database=d;SSL Mode=VerifyFull")]
    [TestCase("postgresql://h/d?connect_timeout=5&client_encoding=utf8", "Host=h;Port=5432;Database=d;Timeout=5")]
    [TestCase("postgresql://u:p?w@h/d", "Host=h;Port=5432;Database=d;Username=u;Password=p?w")]
    [TestCase("postgresql://u:p@w/x@h/d", "Host=w;Port=5432;Database=x@h/d;Username=u;Password=p")]
    [TestCase("postgresql://u:p/w@h/d", "Host=h;Port=5432;Database=d;Username=u;Password=p/w")]
    [TestCase("postgresql://h/d?application_name=a@b", "Host=h;Port=5432;Database=d;Application Name=a@b")]
    [TestCase("host=h dbname=d user=ada", "Host=h;Port=5432;Database=d;Username=ada")]
    [TestCase("host = /tmp  port = 5433 dbname='my db' password='it\\'s; a \\\\ secret'",
        "Host=/tmp;Port=5433;Database=my db;Password=\"it's; a \\ secret\"")]
    [TestCase("host=a,b port=1,2 dbname=d sslmode=require", "Host=a:1,b:2;Database=d;SSL Mode=Require")]
    [TestCase("host=::1,b dbname=d", "Host=[::1]:5432,b:5432;Database=d")]
    [TestCase("host=h;port=5433;database=d", "Host=h;Port=5433;Database=d")]
    public void Whatever_psql_takes_is_taken(string text, string meant)
    {
        var (found, expected) = (DatabaseUrl.Parse(text), new NpgsqlConnectionStringBuilder(meant));
        Assert.That(found.Keys.Cast<string>().Select(key => $"{key}={found[key]}"),
            Is.EquivalentTo(expected.Keys.Cast<string>().Select(key => $"{key}={expected[key]}")));
        using var source = Monitoring.Data.Database.DataSources.Create(DatabaseUrl.Parse(text)); // and can be used
    }

    [TestCase("postgresql://u:hunter2@h/d?service=x", "'service' is not possible here; write what that service's entry says")]
    [TestCase("postgresql://u:hunter2@h/d?requirepeer=postgres", "'requirepeer' is not possible here; leave it out")]
    [TestCase("postgresql://u:hunter2@h/d?sslcrl=/x", "'sslcrl' is not possible here; use the form")]
    [TestCase("postgresql://u:hunter2@h/d?sslrootcert=/no/such", "'sslrootcert' names the file '/no/such', which is not there")]
    [TestCase("postgresql://u:hunter2@h/d?target_session_attrs=maybe", "'target_session_attrs' has a value that is not allowed")]
    [TestCase("postgresql://u:hunter2@h/d?channel_binding=maybe", "'channel_binding' has a value that is not allowed")]
    [TestCase("postgresql://u:hunter2@h/d?hostaddr=1.2.3.4&sslmode=verify-full", "'hostaddr' is not possible with sslmode=verify-full")]
    [TestCase("postgresql://u:hunter2@h/d?client_encoding=LATIN1", "'client_encoding' must be UTF8")]
    [TestCase("postgresql://u:hunter2@a,b,c/d?port=1,2", "'port' names 2 ports for 3 hosts")]
    [TestCase("host=h password=hunter2 keepalives_idle=soon", "'keepalives_idle' must be a whole number")]
    [TestCase("postgresql:///d", "or the folder of the server's socket by ?host=/var/run/postgresql")]
    [TestCase("Host=h;Password=hunter2;Target Session Attributes=maybe", "")]
    [TestCase("Host=h;Password=hunter2;Minimum Pool Size=50;Maximum Pool Size=5", "cannot be used")]
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
