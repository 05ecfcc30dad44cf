using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Simulator.Faults;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Watching;

namespace Monitoring.Tests.Watching;

public sealed class WatchdogTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;

    private static MonitorState State(double ageSeconds, double interval, bool judged = true) =>
        new(new MonitorSchedule("m", TimeSpan.FromSeconds(interval)), Noon.AddSeconds(-ageSeconds), Noon.AddSeconds(-ageSeconds), judged,
            "HTTP 500");

    [TestCase(59.999, 2, false)]
    [TestCase(60, 2, true)]
    [TestCase(60, 20, true)]
    [TestCase(899.9, 300, false)]
    [TestCase(900, 300, true)]
    [TestCase(-59.9, 2, false, Description = "the clocks of two machines differ a little")]
    [TestCase(-3600, 300, true, Description = "the clock was set back")]
    public void Monitor_is_blind_after_three_intervals_and_at_least_a_minute(double age, double interval, bool stale)
    {
        var findings = WatchdogRules.Evaluate([State(age, interval)], Noon);
        Assert.That(findings.Select(finding => (finding.Fingerprint, finding.Severity, finding.ThreatType)),
            Is.EqualTo(stale ? new[] { ("monitor.stale:m", Severity.High, "monitor_stale") } : []));
    }

    [Test]
    public void Monitor_that_cannot_be_judged_yet_is_neither_blind_nor_well()
    {
        var state = State(5000, 10, judged: false);
        Assert.That(WatchdogRules.Evaluate([state], Noon), Is.Empty);
        Assert.That(WatchdogRules.Unjudged([state]), Is.EqualTo(new[] { "monitor.stale:m" }));
    }

    [Test]
    public void Finding_says_since_when_and_why()
    {
        var finding = WatchdogRules.Evaluate([State(90, 10)], Noon).Single();
        Assert.That(finding.Description,
            Is.EqualTo("The newest successful check is that of 2026-11-21 11:58:30Z; nothing is known of what it watches since. "
                + "The newest fault: HTTP 500"));
        Assert.That(finding.Evidence.Arithmetic,
            Is.EqualTo(new[] { "limit = max(3 * 10 s, 60 s) = 60 s", "age of the newest success = 90 s >= 60 s: high" }));
    }

    [Test]
    public void Success_from_the_future_is_called_that() =>
        Assert.That(WatchdogRules.Evaluate([State(-90, 10)], Noon).Single().Evidence.Arithmetic[1],
            Is.EqualTo("age of the newest success = -90 s <= -60 s, which lies ahead of the clock: high"));

    [Test]
    public void Part_that_is_not_seen_grows_stale_while_the_others_are_seen()
    {
        var (parts, monitor) = (new PartialSourceHealth(), new MonitorSchedule("liquidations", TimeSpan.FromSeconds(30)));
        (string[] Findings, string[] Unjudged) Look(int second, string? error)
        {
            var (findings, unjudged) = parts.Judge(monitor, [new("0xa", null), new("0xb", error)], Noon.AddSeconds(second));
            return ([.. findings.Select(finding => $"{finding.Fingerprint} {finding.Severity}")], [.. unjudged]);
        }

        Assert.That(Look(0, "HTTP 500"), Is.EqualTo((Array.Empty<string>(), new[] { "monitor.stale:liquidations 0xb" })),
            "never seen, but just begun to look");
        Assert.That(Look(89, "HTTP 500").Findings, Is.Empty);
        Assert.That(Look(90, "HTTP 500"), Is.EqualTo((new[] { "monitor.stale:liquidations 0xb High" }, Array.Empty<string>())));
        Assert.That(Look(91, null), Is.EqualTo((Array.Empty<string>(), Array.Empty<string>())));
        Assert.That(Look(180, "HTTP 500").Findings, Is.Empty);
        var finding = parts.Judge(monitor, [new("0xb", "HTTP 502")], Noon.AddSeconds(181)).Findings.Single();
        Assert.That((finding.Title, finding.Description, finding.RelatedAddresses.Single()),
            Is.EqualTo(("Monitor liquidations is blind to 0xb",
                "Checks succeed with the other parts; of this one nothing is known since 2026-11-21 12:01:31Z. The newest fault: HTTP 502",
                "0xb")));
    }

    /// <summary>
    /// A monitor whose sources fail in this way, and the event that must say so; the fault may leave a part of it seeing.
    /// </summary>
    private static IEnumerable<TestCaseData> Blindnesses()
    {
        TestCaseData Case(string monitor, string subject, string name, params Fault[] faults) =>
            new TestCaseData(monitor, subject, faults).SetArgDisplayNames(name);
        const string liquidator = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";
        yield return Case("hlp-vault", "hlp-vault", "hlp-vault, the vault", new Fault(FaultKind.Null, "vaultDetails"));
        yield return Case("oracle", "oracle", "oracle, the venue", new Fault(FaultKind.Null, "metaAndAssetCtxs"));
        yield return Case("oracle", "oracle", "oracle, every price source",
            [.. Simulator.References.ReferenceSources.All.Select(source => new Fault(FaultKind.Http500, source))]);
        yield return Case("oracle", "oracle", "oracle, all price sources but one",
            [.. Simulator.References.ReferenceSources.All.Where(source => source != "okx")
                .Select(source => new Fault(FaultKind.Http500, source))]);
        yield return Case("inventory", "inventory", "inventory, every component", new Fault(FaultKind.Null, "clearinghouseState"));
        yield return Case("inventory", $"inventory {liquidator}", "inventory, one component",
            new Fault(FaultKind.Null, "clearinghouseState", Account: liquidator));
        yield return Case("liquidations", "liquidations", "liquidations, every account", new Fault(FaultKind.Null, "userFillsByTime"));
        yield return Case("liquidations", $"liquidations {liquidator}", "liquidations, one account",
            new Fault(FaultKind.Null, "userFillsByTime", Account: liquidator));
    }

    [TestCaseSource(nameof(Blindnesses))]
    public async Task Monitor_whose_source_fails_is_said_to_be_blind_until_it_sees_again(string monitor, string subject, object faults)
    {
        var clock = new ManualClock(Noon);
        await using var worker = await WorkerUnderTest.CreateAsync(
            clock, settings: [.. new[] { "HLP", "INVENTORY", "LIQUIDATION" }.Select(name => ($"{name}_CHECK_INTERVAL", "2"))]);
        async Task PlayAsync(int seconds)
        {
            for (var until = clock.GetUtcNow().AddSeconds(seconds); clock.GetUtcNow() < until; clock.Advance(TimeSpan.FromSeconds(10)))
                foreach (var one in new[] { monitor, "watchdog" })
                    await worker.CheckAsync(clock.GetUtcNow(), one);
        }

        async Task<(string Status, string Severity)> EventAsync()
        {
            await using var connection = await worker.Db.OpenConnectionAsync();
            return await connection.QuerySingleOrDefaultAsync<(string, string)>(
                "SELECT status, severity FROM security_events WHERE fingerprint = 'monitor.stale:' || @subject", new { subject });
        }

        await PlayAsync(10);
        foreach (var fault in (Fault[])faults)
            worker.Venue.Faults.Add(fault);
        await PlayAsync(50);
        Assert.That(await EventAsync(), Is.EqualTo(default((string, string))));
        await PlayAsync(20);
        Assert.That(await EventAsync(), Is.EqualTo(("open", "high")));
        worker.Venue.Faults.Clear();
        await PlayAsync(40);
        Assert.That(await EventAsync(), Is.EqualTo(("resolved", "high")));
    }

    /// <summary>A worker whose hlp-vault is checked every 20 s, so that a minute makes it blind.</summary>
    private static async Task<(WorkerUnderTest Worker, ManualClock Clock)> StartAsync()
    {
        var clock = new ManualClock(Noon);
        return (await WorkerUnderTest.CreateAsync(clock, settings: ("HLP_CHECK_INTERVAL", "20")), clock);
    }

    private static async Task<string[]> BlindAsync(WorkerUnderTest worker, ManualClock clock) =>
        [.. (await worker.CheckAsync(clock.GetUtcNow(), "watchdog")).Findings.Select(finding => finding.Subject.Text)
            .Where(subject => subject == "hlp-vault")];

    [Test]
    public async Task Blind_monitor_is_found_and_the_event_resolves_when_it_sees_again()
    {
        var (worker, clock) = await StartAsync();
        await using var _ = worker;
        await worker.CheckAsync(Noon);
        worker.Venue.Faults.Add(new Fault(FaultKind.Null));
        for (var second = 20; second <= 60; second += 20)
        {
            clock.Advance(TimeSpan.FromSeconds(20));
            await worker.CheckAsync(clock.GetUtcNow());
            Assert.That(await BlindAsync(worker, clock), second < 60 ? Is.Empty : Is.EqualTo(new[] { "hlp-vault" }), $"{second} s");
        }

        worker.Venue.Faults.Clear();
        clock.Advance(TimeSpan.FromSeconds(20));
        await worker.CheckAsync(clock.GetUtcNow());
        for (var i = 0; i < 3; i++, clock.Advance(TimeSpan.FromSeconds(10)))
            Assert.That(await BlindAsync(worker, clock), Is.Empty);
        await using var connection = await worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<(string, string)>(
            "SELECT status, indicators->>'last_error' FROM security_events WHERE fingerprint = 'monitor.stale:hlp-vault'"),
            Is.EqualTo(("resolved", "hyperliquid vaultDetails: the answer is null, the venue knows nothing of it")));
    }

    [Test]
    public async Task Success_of_another_worker_counts()
    {
        var (worker, clock) = await StartAsync();
        await using var _ = worker;
        await worker.RegisterAsync();
        clock.Advance(TimeSpan.FromSeconds(100));
        worker.Venue.Faults.Add(new Fault(FaultKind.Null));
        await worker.CheckAsync(clock.GetUtcNow());
        Assert.That(await BlindAsync(worker, clock), Is.EqualTo(new[] { "hlp-vault" }));
        await worker.Services.GetRequiredService<DatabaseRecorder>().WriteAsync(
            ResultSample.Of("hlp-vault", Noon.AddSeconds(80), CheckOutcome.Succeeded, [], []), default);
        Assert.That(await BlindAsync(worker, clock), Is.Empty);
    }

    [Test]
    public async Task Success_between_grid_times_does_not_make_a_monitor_fresh()
    {
        var (worker, clock) = await StartAsync();
        await using var _ = worker;
        await worker.RegisterAsync();
        await worker.CheckAsync(Noon);
        clock.Advance(TimeSpan.FromSeconds(50));
        async Task<DateTimeOffset?> LastSuccessAsync() =>
            (await worker.Services.GetRequiredService<MonitorHealth>().ReadAsync(clock.GetUtcNow(), default))
                .Single(state => state.Monitor.Name == "hlp-vault").LastSuccessAt;
        var between = await worker.Services.GetRequiredService<CheckRunner>().TryRunBetweenAsync(worker.Schedule, [], default);
        Assert.That((between!.Run.Trigger, between.Run.Outcome), Is.EqualTo((CheckTrigger.Feed, CheckOutcome.Succeeded)));
        Assert.That(await LastSuccessAsync(), Is.EqualTo(Noon), "one account may have been all that it looked at");
        Assert.That((await new CheckRuns(worker.Db).ListLatestAsync(Noon, default)).Single().LastSuccessAt, Is.EqualTo(Noon));

        worker.Venue.Faults.Add(new Fault(FaultKind.Null));
        clock.Advance(TimeSpan.FromSeconds(10));
        await worker.CheckAsync(clock.GetUtcNow());
        Assert.That(await BlindAsync(worker, clock), Is.EqualTo(new[] { "hlp-vault" }));
        worker.Restart();
        await worker.CheckAsync(clock.GetUtcNow());
        Assert.That(await LastSuccessAsync(), Is.EqualTo(Noon), "the ledger says the same");
    }

    [Test]
    public async Task Worker_that_has_just_started_lets_its_first_check_end()
    {
        var (worker, clock) = await StartAsync();
        await using var _ = worker;
        await worker.RegisterAsync();
        await worker.Services.GetRequiredService<DatabaseRecorder>().WriteAsync(
            ResultSample.Of("hlp-vault", Noon.AddHours(-1), CheckOutcome.Succeeded, [], []), default);
        var first = await worker.CheckAsync(Noon, "watchdog");
        Assert.That((first.Findings.Count, first.Unjudged), Is.EqualTo(
            (0, new[] { "monitor.stale:hlp-vault", "monitor.stale:inventory", "monitor.stale:oracle", "monitor.stale:liquidations" })));
        worker.Venue.Faults.Add(new Fault(FaultKind.Null));
        await worker.CheckAsync(Noon);
        Assert.That(await BlindAsync(worker, clock), Is.EqualTo(new[] { "hlp-vault" }),
            "an hour without success, and the first check of this worker failed too");
    }

    [Test]
    public async Task Without_the_ledger_memory_speaks_alone()
    {
        var (worker, clock) = await StartAsync();
        await using var _ = worker;
        await worker.CheckAsync(Noon);
        await using (var connection = await worker.Db.OpenConnectionAsync())
            await connection.ExecuteAsync("DROP TABLE check_runs");
        clock.Advance(TimeSpan.FromSeconds(50));
        Assert.That((await worker.Services.GetRequiredService<MonitorHealth>().ReadAsync(clock.GetUtcNow(),
            default)).Single(state => state.Monitor.Name == "hlp-vault").LastSuccessAt, Is.EqualTo(Noon));
    }
}
