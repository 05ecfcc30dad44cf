using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Configuration;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Venues;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Tests.Venues;

/// <summary>Intervals that need more requests than the venue takes are found before a monitor starves.</summary>
public sealed class WeightPlanTests
{
    private static readonly (string, string)[] Narrow = [("HLP_CHECK_INTERVAL", "8"), ("ORACLE_CHECK_INTERVAL", "2")];

    private static VenuesOptions Read(params (string Key, string Value)[] settings)
    {
        var reader = new SettingsReader(
            new ConfigurationBuilder().AddInMemoryCollection(settings.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value))).Build());
        var options = VenuesOptions.Read(reader);
        reader.Finish("Venues", "Monitors", "Rules");
        return options;
    }

    [Test]
    public void Defaults_need_a_fraction() => Assert.That((Read().Weight.ToString(), Read().Weight.Problem), Is.EqualTo((
        "at their intervals the monitors need 191 of the venue's 1200 request weight a minute "
        + "(inventory 111, liquidations 53, oracle 20, hlp-vault 7)", (string?)null)));

    [Test]
    public void More_than_the_venue_takes_is_a_fault_that_names_the_shares()
    {
        var faults = Assert.Throws<ConfigurationFaultException>(() => Read(("ORACLE_CHECK_INTERVAL", "1")))!.Faults;
        Assert.That(faults, Is.EqualTo(new[]
        {
            "Venues:Hyperliquid:WeightPerMinute: at their intervals the monitors need 1371 of the venue's 1200 request weight a minute "
            + "(oracle 1200, inventory 111, liquidations 53, hlp-vault 7); longer intervals need less, and "
            + "Venues:Hyperliquid:WeightPerMinute says what the venue takes",
        }));
        Assert.That(Read(("ORACLE_CHECK_INTERVAL", "1"), ("Venues:Hyperliquid:WeightPerMinute", "2000")).Weight.Problem, Is.Null);
    }

    [Test]
    public void Watched_accounts_count() => Assert.That(
        Read(("MONITORED_ADDRESSES", "0x" + new string('a', 40)), ("LIQUIDATION_CHECK_INTERVAL", "60")).Weight.Shares
            .Single(share => share.Monitor == LiquidationMonitor.MonitorName).PerMinute,
        Is.EqualTo(20 + (8 * 20)).Within(0.01));

    [Test]
    public async Task Little_room_is_a_warning_at_the_start()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            new ManualClock(ManualClock.Noon), settings: [(WorkerUnderTest.WeightSetting, "1200"), .. Narrow]);
        await worker.Services.GetServices<IHostedService>().OfType<LifecycleLog>().Single().StartAsync(default);
        Assert.That(worker.Logs.Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text),
            Has.One.StartsWith("at their intervals the monitors need 1019 of the venue's 1200 request weight a minute (oracle 600, "));
    }

    [Test]
    public async Task Check_that_waits_for_the_budget_says_so_and_never_that_the_venue_does_not_answer()
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var worker = await WorkerUnderTest.CreateAsync(clock, monitor: LiquidationMonitor.MonitorName);
        var budget = worker.Services.GetRequiredService<WeightBudget>();
        var pause = TimeSpan.Zero;

        async Task<string?> ErrorOfAsync(string monitor, TimeSpan given)
        {
            budget.Pause(pause += TimeSpan.FromMinutes(2));
            var check = worker.CheckAsync(clock.GetUtcNow(), monitor);
            while (budget.WaitsUntil < clock.GetUtcNow() + pause)
                await Task.Yield();
            clock.Advance(given);
            return (await check).Run.Error;
        }

        Assert.That(await ErrorOfAsync(LiquidationMonitor.MonitorName, TimeSpan.FromSeconds(36)), Is.EqualTo(
            "hyperliquid vaultDetails: waited 36.0 s for the venue's request budget, which rests until 12:02:00 because the venue refused "
            + "for rate"));
        Assert.That(await ErrorOfAsync(OracleMonitor.MonitorName, TimeSpan.FromSeconds(5)),
            Does.StartWith("not done within 5 s: waited 5.0 s for the venue's request budget"));
    }
}
