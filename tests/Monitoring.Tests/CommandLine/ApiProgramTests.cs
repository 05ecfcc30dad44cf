using System.Net;
using System.Net.Sockets;

namespace Monitoring.Tests.CommandLine;

/// <summary>How the read service's program ends where it cannot begin.</summary>
public sealed class ApiProgramTests
{
    private static readonly (string, string) Database = ("DATABASE_URL", "postgresql://u:p@127.0.0.1:9/d");

    [Test]
    public async Task Address_that_is_in_use_or_of_another_machine_is_one_line_that_names_the_settings()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = $"{((IPEndPoint)taken.LocalEndpoint).Port}";
        foreach (var (host, said) in new[] { ("127.0.0.1", "Address already in use"), ("203.0.113.1", "Cannot assign requested address") })
        {
            var (code, output, errors) = await ProgramUnderTest.RunAsync(
                "Monitoring.Api", "", Database, ("API_HOST", host), ("API_PORT", port), ("API_AUTH", "none"));
            Assert.That((code, output), Is.EqualTo((1, "")), errors);
            Assert.That(errors, Is.EqualTo($"cannot listen on {host}, port {port} (API_HOST and API_PORT say where): {said}\n"));
        }
    }

    [Test]
    public async Task Option_that_it_has_not_is_a_usage_fault()
    {
        var (code, _, errors) = await ProgramUnderTest.RunAsync("Monitoring.Api", "--port", Database);
        Assert.That((code, errors), Is.EqualTo((2, "'--port' is not known: Monitoring.Api takes no options but --help\n")));
    }
}
