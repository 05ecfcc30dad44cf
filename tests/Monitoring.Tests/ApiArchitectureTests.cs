using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Monitoring.Api;
using Monitoring.Api.Access;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Tests;

/// <summary>The walls inside the read service and its page: what a subject brings stays in its folder.</summary>
public sealed partial class ApiArchitectureTests
{
    private static readonly string[] Subjects = ["Venues"];

    [Test]
    public void Only_the_list_of_the_host_names_a_subject()
    {
        var files = Sources("Monitoring.Api", "*.cs").Where(file =>
            !Subjects.Any(subject => file.Contains($"/{subject}/", StringComparison.Ordinal)));
        var naming = files.Where(file => SubjectWord().IsMatch(File.ReadAllText(file))).Select(Path.GetFileName);
        Assert.That(naming, Is.EqualTo(new[] { "ApiHost.cs" }));
        var host = File.ReadLines(Repository.File("Monitoring.Api/ApiHost.cs")).Where(line => SubjectWord().IsMatch(line)).Select(line =>
            line.Trim());
        Assert.That(host, Is.EqualTo(new[] { "using Monitoring.Api.Venues;",
            "private static readonly ISubjectApi[] Subjects = [new VenuesApi()];" }));
    }

    [Test]
    public void Only_the_list_of_the_page_names_a_subject()
    {
        var files = Sources("Monitoring.Api/wwwroot", "*.js").Concat(Sources("Monitoring.Api/wwwroot", "*.html"))
            .Where(file => !file.Contains("/lib/", StringComparison.Ordinal)
                && !Subjects.Any(subject => file.Contains($"/{subject}/", StringComparison.OrdinalIgnoreCase)));
        Assert.That(files.Where(file => SubjectWord().IsMatch(File.ReadAllText(file))).Select(Path.GetFileName),
            Is.EqualTo(new[] { "subjects.js" }));
    }

    /// <summary>
    /// What changes something says what a key must allow; who forgot to would need the scope operate, which may be wrong.
    /// </summary>
    [Test]
    public async Task Every_endpoint_that_does_not_only_read_declares_its_scope()
    {
        var options = new ApiOptions(new DatabaseOptions(new NpgsqlConnectionStringBuilder("Host=127.0.0.1")), "127.0.0.1", 0,
            new AccessOptions(ApiAuth.None, IsLoopback: true, 1, [], []));
        await using var app = ApiHost.Build(options, TimeProvider.System, Repository.File("Monitoring.Api/wwwroot"), _ => { });
        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToList();
        var acting = endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is not ["GET"]).ToList();
        Assert.That(acting, Has.Count.GreaterThanOrEqualTo(3));
        Assert.That(acting.Where(endpoint => endpoint.Metadata.GetMetadata<RequiredScope>() is null).Select(endpoint =>
            endpoint.DisplayName), Is.Empty);
    }

    private static IEnumerable<string> Sources(string folder, string pattern) =>
        Directory.EnumerateFiles(Repository.File(folder), pattern, SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)).Order();

    [GeneratedRegex("venue|hlp|oracle|liquidat|vault|inventory", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SubjectWord();
}
