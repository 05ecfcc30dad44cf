using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Simulator;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Hosting;

namespace Monitoring.Tests.Watching;

public sealed class WithoutDatabaseTests
{
    [Test]
    public async Task Every_monitor_runs_without_a_database()
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var simulator = SimulatorApp.Build(
            new SimulatorOptions(ScenarioLoader.Load("calm")) { Clock = clock, WeightLimit = 100_000 });
        await simulator.StartAsync();
        var settings = new ConfigurationBuilder().AddInMemoryCollection([
            new("HYPERLIQUID_API_URL", simulator.Urls.First()), new(WorkerUnderTest.WeightSetting, "100000"),
            .. Monitoring.Tests.WorkerUnderTest.PriceSources.Select(source => KeyValuePair.Create(source, (string?)simulator.Urls.First())),
        ]).Build();
        using var host = WorkerHost.Build(
            WorkerOptions.Read(new SettingsReader(settings), withoutDatabase: true), clock, logging => logging.AddProvider(new TestLogs()));
        foreach (var schedule in host.Services.GetServices<MonitorSchedule>())
        {
            var result = await host.Services.GetRequiredService<CheckRunner>().RunAsync(
                schedule, ManualClock.Noon, CheckTrigger.Grid, default);
            Assert.That((result.Run.Outcome, result.Run.Error), Is.EqualTo((CheckOutcome.Succeeded, (string?)null)), schedule.Name);
        }
    }
}
