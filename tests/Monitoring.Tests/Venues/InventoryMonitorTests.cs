using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Severity = Monitoring.Data.Events.Severity;

namespace Monitoring.Tests.Venues;

/// <summary>The monitor of the component vaults on the simulator, over real HTTP.</summary>
public sealed class InventoryMonitorTests
{
    private const string Inventory = "inventory";
    private const string StrategyA = "0x010461c14e146ac35fe42271bdc1134ee31c703a";
    private const string StrategyB = "0x31ca8395cf837de08b24da3f660e77761dfb974b";
    private const string Liquidator = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";

    private readonly ManualClock _clock = new(ManualClock.Noon);
    private WorkerUnderTest _worker = null!;

    [TearDown]
    public async Task StopWorker() => await _worker.DisposeAsync();

    private Task<CheckResult> CheckAsync() => _worker.CheckAsync(_clock.GetUtcNow(), Inventory);

    private void Play(double toSecond) => _clock.Advance(ManualClock.Noon.AddSeconds(toSecond) - _clock.GetUtcNow());

    // What may open an event; a finding that only holds is there for every position of some size.
    private static List<Finding> Found(CheckResult result, string rule = "hlp.inventory") =>
        [.. result.Findings.Where(finding => finding.RuleId == rule && !finding.IsHolding)];

    [Test]
    public async Task Every_open_position_is_a_row_with_its_shares()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        Play(25);
        var rows = (await CheckAsync()).Observations.Cast<HlpVaultPosition>().ToList();
        Assert.That(rows.Select(row => row.Coin), Is.EquivalentTo(new[] { "BTC", "ETH", "SOL", "BTC", "ETH", "HYPE", "ETH" }));
        var whale = rows.Single(row => row.VaultAddress == Liquidator);
        Assert.That((whale.ParentAddress, whale.Coin, whale.Size, whale.NotionalUsd, whale.UnrealizedPnl),
            Is.EqualTo((Sample.Vault, "ETH", 160_234m, 160_234m * 1915, 0m)));
        Assert.That(whale.SharePct, Is.EqualTo(100 * 160_234m * 1915 / 451_000_000).Within(0.1m));
        Assert.That(whale.OpenInterestPct, Is.EqualTo(100 * 160_234m * 1915 / 400_000_000).Within(0.001m));
        Assert.That(rows.Single(row => row.Coin == "HYPE").Size, Is.EqualTo(-41_000m));
        Assert.That(rows.Single(row => row.Coin == "HYPE").NotionalUsd, Is.GreaterThan(0m), "the notional has no sign");
    }

    [Test]
    public async Task Position_handed_over_is_a_jump_also_across_a_restart()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        Play(24);
        var before = await CheckAsync();
        Assert.That((before.Findings.All(held => held.IsHolding), before.Run.Findings), Is.EqualTo((true, 0)), "what holds is not counted");
        await _worker.CheckAsync(_clock.GetUtcNow(), "hlp-vault"); // sees that the liquidator holds nothing
        _worker.Restart();
        Play(26);
        var finding = Found(await CheckAsync()).Single();
        Assert.That((decimal)finding.Evidence.Values["jump_points"]!, Is.GreaterThan(60m));
        Assert.That((decimal)finding.Evidence.Values["earlier_share_pct"]!, Is.Zero);
    }

    [Test]
    public async Task First_check_ever_knows_no_jump()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        Play(26);
        var result = await CheckAsync();
        Assert.That(Found(result).Single().Evidence.Values["jump_points"], Is.Null);
        Assert.That(Found(result, "hlp.takeover"), Is.Empty);
        Assert.That(result.Unjudged, Is.EquivalentTo(new[]
        {
            $"hlp.takeover:{Liquidator}:ETH", $"hlp.takeover:{StrategyA}:BTC", $"hlp.takeover:{StrategyB}:BTC",
        }), "what may have been held for long");
    }

    [Test]
    public async Task Component_that_cannot_be_read_has_no_rows_and_its_event_is_not_resolved()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        Play(26);
        await CheckAsync();
        // The position is gone at 68 s, but nothing is known of the liquidator. A new worker has never seen its coins.
        Play(70);
        _worker.Restart();
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "clearinghouseState", Account: Liquidator));
        for (var i = 0; i < 4; i++)
        {
            var result = await CheckAsync();
            Assert.That((result.Run.Outcome, result.Observations.Count), Is.EqualTo((CheckOutcome.Succeeded, 6)));
            Assert.That(result.Unjudged, Is.SupersetOf(new[]
            {
                $"hlp.inventory:{Liquidator}:*", $"hlp.takeover:{Liquidator}:*", $"monitor.stale:inventory {Liquidator}",
            }));
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.That(await StatusAsync(), Is.EqualTo("open"));
        _worker.Venue.Faults.Clear();
        for (var i = 0; i < 3; i++)
        {
            await CheckAsync();
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.That(await StatusAsync(), Is.EqualTo("resolved"));
    }

    [Test]
    public async Task Answer_without_the_list_of_components_is_no_calm()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        Play(26);
        await CheckAsync();
        _worker.Venue.Faults.Add(new Fault(FaultKind.NoComponents, Type: "vaultDetails"));
        // The position is held up to 68 s; the frame is read again after three minutes.
        _clock.Advance(TimeSpan.FromMinutes(4));
        var kept = await CheckAsync();
        Assert.That((kept.Run.Outcome, kept.Observations.Count), Is.EqualTo((CheckOutcome.Succeeded, 6)), "the known components are read");
        Assert.That(_worker.Logs.Lines.Select(line => line.Text),
            Has.Some.EndsWith("the answer has no relationship, so the vault's components are not known"));

        _worker.Restart();
        for (var i = 0; i < 4; i++, _clock.Advance(TimeSpan.FromSeconds(10)))
            Assert.That((await CheckAsync()).Run.Outcome, Is.EqualTo(CheckOutcome.Failed), "nothing is known of the components");
        Assert.That(await StatusAsync(), Is.EqualTo("open"));
    }

    [Test]
    public async Task Component_that_vanishes_from_the_list_is_not_clean_also_after_a_restart()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        Play(26);
        await CheckAsync();
        await using (var connection = await _worker.Db.OpenConnectionAsync())
        {
            // The liquidator under a name that the venue does not list.
            await connection.ExecuteAsync("""
                UPDATE hlp_vault_inventory SET vault_address = '0xgone' WHERE vault_address = @Liquidator;
                UPDATE security_events SET fingerprint = 'hlp.inventory:0xgone:ETH', subject = '0xgone:ETH'
                """, new { Liquidator });
            await connection.ExecuteAsync(
                "INSERT INTO hlp_vault_components VALUES (@Vault, '0xgone', @Noon, 1, 1, 1, 1)", new { Sample.Vault, ManualClock.Noon });
        }

        _worker.Restart();
        Play(70);
        for (var i = 0; i < 4; i++, _clock.Advance(TimeSpan.FromSeconds(10)))
            Assert.That((await CheckAsync()).Unjudged,
                Is.SupersetOf(new[] { "hlp.inventory:0xgone:*", "hlp.takeover:0xgone:*", "monitor.stale:inventory 0xgone" }));
        Assert.That(await StatusAsync(), Is.EqualTo("open"));
        Assert.That(_worker.Logs.Lines.Count(line => line.Text.StartsWith(
            "component 0xgone is not in the vault's list any more", StringComparison.Ordinal)),
            Is.EqualTo(1));
    }

    [Test]
    public async Task Component_that_the_newest_check_could_not_read_held_what_it_held_before_a_restart()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        Play(26);
        Assert.That(Found(await CheckAsync()), Has.Count.EqualTo(1));
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "clearinghouseState", Account: Liquidator));
        Play(36);
        Assert.That((await CheckAsync()).Observations.Cast<HlpVaultPosition>().Select(row => row.VaultAddress),
            Has.None.EqualTo(Liquidator));
        _worker.Venue.Faults.Clear();
        _worker.Restart();
        Play(46);
        Assert.That(JumpOf(await CheckAsync()), Is.InRange(-5m, 5m));
    }

    [Test]
    public async Task Component_that_was_never_seen_empty_knows_no_jump_after_a_restart()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "clearinghouseState", Account: Liquidator));
        Play(24);
        Assert.That((await CheckAsync()).Observations, Has.Count.EqualTo(6));
        _worker.Venue.Faults.Clear();
        _worker.Restart();
        Play(26);
        Assert.That(JumpOf(await CheckAsync()), Is.Null);
    }

    private static decimal? JumpOf(CheckResult result) => (decimal?)Found(result).Single().Evidence.Values["jump_points"];

    [Test]
    public async Task Take_over_in_many_steps_is_found_also_across_a_restart()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "thin-coin-dump");
        Play(28);
        Assert.That(Found(await CheckAsync(), "hlp.takeover"), Is.Empty);
        await _worker.CheckAsync(_clock.GetUtcNow(), "hlp-vault"); // sees that the liquidator holds nothing
        Play(30);
        Assert.That(Found(await CheckAsync(), "hlp.takeover"), Is.Empty, "one account's position is no more than 0.3 %");
        Play(31);
        Assert.That(Found(await CheckAsync(), "hlp.takeover").Single().Severity, Is.EqualTo(Severity.Medium));
        _worker.Restart();
        Play(36);
        var found = Found(await CheckAsync(), "hlp.takeover").Single();
        Assert.That((found.Severity, (string)found.Evidence.Values["low_at"]!, (decimal)found.Evidence.Values["low_share_pct"]!),
            Is.EqualTo((Severity.High, "2026-11-21T12:00:28Z", 0m)));
        Assert.That(await StatusAsync("hlp.takeover"), Is.EqualTo("open"));
    }

    [Test]
    public async Task Take_over_by_a_component_that_holds_other_coins_is_found_by_the_stored_inventory_alone()
    {
        var calm = ScenarioLoader.Load("calm");
        PositionMove Pass(string coin, decimal size) => new("HLP Strategy A", coin, size, calm.Prices[coin]);
        _worker = await WorkerUnderTest.CreateAsync(_clock, calm with
        {
            Moves = [new(5, Position: Pass("HYPE", 17_000)), new(9, Position: Pass("HYPE", 200_000)), new(9, Position: Pass("ETH", 1_000))],
        }, Inventory);
        Play(4);
        await CheckAsync();
        Play(6);
        await CheckAsync();
        _worker.Restart();
        Play(10);
        var found = Found(await CheckAsync(), "hlp.takeover").Single(); // the ETH was 0.18 % all along
        Assert.That((found.Subject.Id, (string)found.Evidence.Values["low_at"]!, (decimal)found.Evidence.Values["low_share_pct"]!),
            Is.EqualTo(("HYPE", "2026-11-21T12:00:06Z", 0.0494m)));

        _worker.Restart();
        Play(12);
        Assert.That((string)Found(await CheckAsync(), "hlp.takeover").Single().Evidence.Values["low_at"]!,
            Is.EqualTo("2026-11-21T12:00:06Z"), "the newest check that was next to nothing, not the newest check");
    }

    [Test]
    public async Task Take_over_stays_open_down_to_half_of_its_threshold()
    {
        const string Vault = "HLP Liquidator";
        var calm = ScenarioLoader.Load("calm");
        _worker = await WorkerUnderTest.CreateAsync(_clock, calm with
        {
            Moves = [new(5, Position: new PositionMove(Vault, "BTC", 40, calm.Prices["BTC"])), // 0.73 % of the equity
                new(15, Reduce: new ReduceMove(Vault, "BTC", 15)), new(65, Reduce: new ReduceMove(Vault, "BTC", 10))],
        }, Inventory);
        for (var second = 0; second <= 60; second += 10, Play(second))
            await CheckAsync();
        Assert.That(await StatusAsync("hlp.takeover"), Is.EqualTo("open"), "0.27 %");
        Play(70);
        for (var second = 70; second <= 90; second += 10, Play(second))
            await CheckAsync();
        Assert.That(await StatusAsync("hlp.takeover"), Is.EqualTo("resolved"), "0.18 %");
        await using var connection = await _worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<(int, string)>(
            "SELECT occurrences, severity FROM security_events WHERE rule_id = 'hlp.takeover'"), Is.EqualTo((1, "medium")));
    }

    [Test]
    public async Task Position_in_a_coin_whose_volume_is_not_known_is_neither_calm_nor_an_alarm()
    {
        var squeeze = ScenarioLoader.Load("short-squeeze");
        _worker = await WorkerUnderTest.CreateAsync(_clock, squeeze with
        {
            Markets = new Dictionary<string, MarketSetup> { ["JELLY"] = new(DayVolumeUsd: 0, OpenInterestUsd: 100_000_000) },
        }, Inventory);
        Play(36);
        var result = await CheckAsync();
        Assert.That(Found(result), Is.Empty);
        Assert.That(result.Unjudged, Has.Member($"hlp.inventory:{Liquidator}:JELLY"));
    }

    [Test]
    public async Task Markets_that_cannot_be_read_leave_their_rules_unjudged_and_are_told_in_the_end()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation");
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "metaAndAssetCtxs"));
        Play(26);
        var result = await CheckAsync();
        Assert.That(Found(result).Single().Severity, Is.EqualTo(Severity.Critical), "the share is judged all the same");
        Assert.That(result.Unjudged, Is.SupersetOf(new[]
        {
            $"hlp.inventory:{StrategyA}:BTC", $"hlp.inventory:{StrategyB}:BTC", "monitor.stale:inventory markets",
        }));
        Play(90);
        var blind = Found(await CheckAsync(), "monitor.stale").Single();
        Assert.That((blind.Subject.Text, blind.Title), Is.EqualTo(("inventory markets", "Monitor inventory is blind to markets")));
    }

    [Test]
    public async Task Check_fails_when_no_component_can_be_read()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock);
        Assert.That((await CheckAsync()).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "clearinghouseState"));
        _clock.Advance(TimeSpan.FromSeconds(10));
        var failed = await CheckAsync();
        Assert.That((failed.Run.Outcome, failed.Run.Error), Is.EqualTo((CheckOutcome.Failed,
            "none of 7 component vaults could be read: hyperliquid clearinghouseState: the answer is null, "
            + "the venue knows nothing of it")));
    }

    [Test]
    public async Task Equity_and_components_are_kept_while_they_cannot_be_read_and_not_for_ever()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock);
        await CheckAsync();
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "vaultDetails"));
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "metaAndAssetCtxs"));
        _clock.Advance(TimeSpan.FromMinutes(14));
        var kept = await CheckAsync();
        Assert.That(kept.Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
        Assert.That(kept.Observations.Cast<HlpVaultPosition>().Select(row => row.OpenInterestPct), Has.All.Null, "older than ten minutes");
        Assert.That(Found(kept, "monitor.stale").Select(finding => finding.Subject.Text), Is.EqualTo(new[] { "inventory markets" }));
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.That((await CheckAsync()).Run.Outcome, Is.EqualTo(CheckOutcome.Failed));
    }

    [Test]
    public async Task Component_that_hangs_does_not_take_the_others_rows()
    {
        // On the real clock: its deadlines are what is tested.
        _worker = await WorkerUnderTest.CreateAsync(TimeProvider.System, settings: ("INVENTORY_CHECK_INTERVAL", "2"));
        _worker.Venue.Faults.Add(new Fault(FaultKind.Hang, Type: "clearinghouseState", Count: 1));
        var result = await _worker.CheckAsync(TimeProvider.System.GetUtcNow(), Inventory);
        Assert.That(
            (result.Run.Outcome, result.Unjudged.Count(fingerprint => fingerprint.StartsWith("hlp.inventory", StringComparison.Ordinal))),
            Is.EqualTo((CheckOutcome.Succeeded, 1)));
    }

    [Test]
    public async Task Minute_of_checks_costs_little_of_the_venues_weight()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock);
        for (var i = 0; i < 18; i++)
        {
            await CheckAsync();
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.That((_worker.Venue.Requests["clearinghouseState"], _worker.Venue.Requests["vaultDetails"],
            _worker.Venue.Requests["metaAndAssetCtxs"]),
            Is.EqualTo((18 * 7, 1, 3)));
    }

    private async Task<string> StatusAsync(string rule = "hlp.inventory")
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<string>("SELECT status FROM security_events WHERE rule_id = @rule", new { rule });
    }
}
