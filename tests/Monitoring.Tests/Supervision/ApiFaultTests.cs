using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Monitoring.Api.Access;
using Monitoring.Data.Supervision;
using Monitoring.Tests.Api;
using Npgsql;

namespace Monitoring.Tests.Supervision;

/// <summary>The read service while its database and its clock fail in ways that nobody expects.</summary>
public sealed class ApiFaultTests
{
    private static readonly string[] AllLoops = ["access ledger", "event feed", "listener of the event feed", "requests of revoked keys"];

    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task Clone() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task Drop() => TestDatabase.DropAsync(_db);

    [Test]
    public async Task Clock_and_database_that_fail_stop_no_service()
    {
        var faults = new InjectedFaults();
        await using var api = await ApiUnderTest.StartAsync(
            _db, new FaultyClock(faults), new AccessOptions(ApiAuth.Keys, IsLoopback: true, 1_000_000, [], []));
        var supervisor = api.Services.GetRequiredService<Supervisor>();
        faults.IsOn = true;
        api.Gate.Close();
        await TestWait.UntilAsync(
            () => AllLoops.Count(loop => supervisor.Failed.GetValueOrDefault(loop) > 0) >= AllLoops.Length - 1
                && supervisor.Failed["event feed"] > 1, "all loops fail but one, which is in the middle of its pause");
        Assert.That(supervisor.Failed.Keys, Is.EquivalentTo(AllLoops));
        faults.IsOn = false;
        api.Gate.Open();
        await TestWait.UntilAsync(
            () => supervisor.Failing.All(loop => loop.Name.StartsWith("listener ")), "they work again; who listens says so when it ends");
        using var ready = await api.Http.GetAsync("/health/ready");
        Assert.That((int)ready.StatusCode, Is.EqualTo(200));
        Assert.That(api.Services.GetServices<IHostedService>().OfType<BackgroundService>()
            .Select(service => service.ExecuteTask!.IsCompleted), Is.Not.Empty.And.All.False);
    }
}
