using Dapper;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Venues.Liquidations;
using Severity = Monitoring.Data.Events.Severity;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>An ordinary day of 500 liquidations of 0.1–2 M USD in the large coins, and calm: nothing above medium.</summary>
public sealed class OrdinaryDayTests
{
    private const int Count = 500;
    private static readonly string[] Large = ["BTC", "ETH", "SOL", "HYPE", "XRP", "DOGE", "BNB", "SUI"];

    private static decimal Usd(Random random) => 100_000 + (random.Next(1_900_001) / 1m);

    // Spread over the day, each at any moment of its part of it; or at any moment of the day, so that by chance five accounts are
    // liquidated in one coin within five minutes on one day of forty: a cascade, and no more than that.
    [TestCase(true)]
    [TestCase(false)]
    public void Rules_find_nothing_above_medium_on_any_of_fifty_days(bool spread)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var prices = Large.ToDictionary(coin => coin, _ => 100m);
            var seconds = Enumerable.Range(0, Count)
                .Select(i => spread ? (i + random.NextDouble()) * 86_400 / Count : random.NextDouble() * 86_400);
            var rows = seconds.Order().Select((second, i) =>
            {
                var coin = Large[random.Next(Large.Length)];
                prices[coin] *= 1 + ((decimal)(random.NextDouble() - 0.5) / 100); // half a percent up or down in between
                return LiquidationSample.Row(second, $"0x{random.Next(400)}", Usd(random), prices[coin], coin, tid: i + 1);
            }).ToList();
            var volumes = Large.ToDictionary(coin => coin, _ => new CoinVolume(400_000_000, ManualClock.Noon));
            var found = VolumeShares.Mark(LiquidationSample.Patterns(rows), new Dictionary<string, LiquidationPattern>(), volumes);
            Assert.That(found.Count(pattern => pattern.PatternType == LiquidationPatternType.FlashLoan), Is.GreaterThan(300));
            var above = LiquidationRules.Evaluate(found, LiquidationThresholds.Default)
                .Where(finding => finding.Severity > Severity.Medium).Select(finding => (finding.RuleId, finding.Severity)).ToList();
            Assert.That(above, spread ? Is.Empty : Is.All.EqualTo(("liquidation.cascade", Severity.High)), $"seed {seed}");
            Assert.That(MarketRuns.Find(found, LiquidationThresholds.Default), Is.Empty);
        }
    }

    [Test]
    public async Task Monitor_raises_nothing_above_medium_through_the_whole_day()
    {
        var clock = new ManualClock(ManualClock.Noon);
        var (random, market) = (new Random(20261129), ScenarioLoader.Load("cascade"));
        await using var worker = await WorkerUnderTest.CreateAsync(clock, market with
        {
            Seed = 20261129, DurationSeconds = 86_400, Expected = [],
            Moves =
            [
                .. Enumerable.Range(0, 24).SelectMany(hour => Large.Select(coin => new Move(hour * 3600, 3600,
                    Price: new PriceMove(coin, market.Prices[coin] * (1 + (random.Next(-200, 201) / 10_000m)))))),
                .. Enumerable.Range(0, Count).Select(_ => new Move(random.Next(86_400_000) / 1000m, Liquidations: new LiquidationMove(
                    Large[random.Next(Large.Length)], 1, Usd(random),
                    random.Next(10) == 0 ? LiquidationKind.Backstop : LiquidationKind.Market,
                    random.Next(2) == 0 ? LiquidatedSide.Long : LiquidatedSide.Short, "HLP Strategy A", Fills: random.Next(1, 5)))),
            ],
        }, LiquidationMonitor.MonitorName);
        for (var minute = 0; minute <= 24 * 60; minute += 15)
        {
            Assert.That((await worker.CheckAsync(LiquidationMonitor.MonitorName, clock.GetUtcNow(), clock)).Run.Error, Is.Null);
            clock.Advance(TimeSpan.FromMinutes(15));
        }

        await using var connection = await worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<long>(
            "SELECT count(DISTINCT (liquidated_user, coin, hash)) FROM liquidations"), Is.EqualTo(Count));
        Assert.That(await connection.QueryAsync<string>(
            "SELECT DISTINCT rule_id || ' ' || severity FROM security_events WHERE severity IN ('high', 'critical')"), Is.Empty);
        Assert.That(await connection.QuerySingleAsync<long>("SELECT count(*) FROM security_events WHERE severity = 'medium'"),
            Is.GreaterThan(50), "much within seconds is still said");
    }

    [TestCase("calm")]
    [TestCase("thin-coin-noise")]
    public async Task Nothing_above_medium_in_any_monitor_when_it_is_calm(string scenario)
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var worker = await WorkerUnderTest.CreateAsync(
            clock, scenario, settings: [("HLP_CHECK_INTERVAL", "4"), ("INVENTORY_CHECK_INTERVAL", "2")]);
        for (var second = 0; second <= 90; second += 2, clock.Advance(TimeSpan.FromSeconds(2)))
            foreach (var monitor in new[] { "inventory", "oracle", "liquidations", "hlp-vault" })
                if (second % (monitor == "hlp-vault" ? 4 : monitor == "liquidations" ? 20 : 2) == 0)
                    Assert.That((await worker.CheckAsync(clock.GetUtcNow(), monitor)).Run.Error, Is.Null);
        await using var connection = await worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QueryAsync<string>(
            "SELECT rule_id || ' ' || subject FROM security_events WHERE severity IN ('high', 'critical')"), Is.Empty);
    }
}
