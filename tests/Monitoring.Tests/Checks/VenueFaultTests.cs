using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Simulator.Faults;

namespace Monitoring.Tests.Checks;

/// <summary>
/// Whatever the venue answers: a failed check is recorded with its reason, nothing is invented, nothing is resolved,
/// and the next good check succeeds.
/// </summary>
public sealed class VenueFaultTests
{
    private WorkerUnderTest _worker = null!;
    private DateTimeOffset _at;

    [SetUp]
    public async Task StartWorker()
    {
        _worker = await WorkerUnderTest.CreateAsync(TimeProvider.System);
        _at = _worker.Schedule.GridTime(TimeProvider.System.GetUtcNow());
        await using var connection = await _worker.Db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                         title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                         last_seen_at, judged_at)
            VALUES (gen_random_uuid(), 'hlp.loss:x', 'hlp-vault', 'hlp.loss', 1, 't', 'high', 'open', 'x', 't', 'd', '{}', '{}', 1, 2,
                    '2026-01-01Z', '2026-01-01Z', '2026-01-01Z')
            """);
    }

    [TearDown]
    public async Task StopWorker() => await _worker.DisposeAsync();

    [TestCase("http500", "HTTP 500", CheckOutcome.Failed)]
    [TestCase("null", "the answer is null", CheckOutcome.Failed)]
    [TestCase("empty", "the answer is empty", CheckOutcome.Failed)]
    [TestCase("html", "unexpected answer (text/html)", CheckOutcome.Failed)]
    [TestCase("truncated", "unexpected answer (application/json)", CheckOutcome.Failed)]
    [TestCase("wrong_types", "unexpected answer (application/json)", CheckOutcome.Failed)]
    [TestCase("reset", "hyperliquid vaultDetails:", CheckOutcome.Failed)]
    [TestCase("http429", "not done within 5 s", CheckOutcome.TimedOut)]
    [TestCase("hang", "not done within 5 s", CheckOutcome.TimedOut)]
    [TestCase("slow", "not done within 5 s", CheckOutcome.TimedOut)]
    public async Task Check_fails_with_the_reason_and_the_next_one_succeeds(string fault, string reason, CheckOutcome outcome)
    {
        _worker.Venue.Faults.Add(new Fault(Enum.GetValues<FaultKind>().Single(kind => FaultNames.Of(kind) == fault),
            Seconds: fault == "slow" ? 30 : null, RetryAfter: fault == "http429" ? 6 : null));
        var failed = await _worker.CheckAsync(_at);
        Assert.That((failed.Run.Outcome, failed.Observations.Count, failed.Findings.Count), Is.EqualTo((outcome, 0, 0)));
        Assert.That(failed.Run.Error, Does.Contain(reason));

        _worker.Venue.Faults.Clear();
        var good = await _worker.CheckAsync(_at.AddSeconds(2));
        Assert.That((good.Run.Outcome, good.Run.Error), Is.EqualTo((CheckOutcome.Succeeded, (string?)null)));

        await using var connection = await _worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QueryAsync<(DateTimeOffset, string, bool)>(
            "SELECT scheduled_at, outcome, error IS NULL FROM check_runs ORDER BY 1"),
            Is.EqualTo(new[]
            {
                (_at, outcome == CheckOutcome.Failed ? "failed" : "timed_out", false), (_at.AddSeconds(2), "succeeded", true),
            }));
        Assert.That(await connection.QueryAsync<DateTimeOffset>("SELECT observed_at FROM hlp_vault_snapshots"),
            Is.EqualTo(new[] { _at.AddSeconds(2) }));
        // Two clean checks before, none by the failure, the third by the success.
        Assert.That(await connection.QuerySingleAsync<(int, DateTimeOffset?)>("SELECT clean_checks, resolved_at FROM security_events"),
            Is.EqualTo((3, (DateTimeOffset?)_at.AddSeconds(2))));
    }

    [Test]
    public async Task Passing_trouble_is_tried_again_within_the_check()
    {
        _worker.Venue.Faults.Add(new Fault(FaultKind.Http500, Type: "vaultDetails", Count: 2));
        Assert.That((await _worker.CheckAsync(_at)).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
        Assert.That(_worker.Venue.Requests["vaultDetails"], Is.EqualTo(3));
    }

    [Test]
    public async Task Refusal_for_the_rate_is_waited_out_within_the_check()
    {
        _worker.Venue.Faults.Add(new Fault(FaultKind.Http429, Count: 1, RetryAfter: 1));
        Assert.That((await _worker.CheckAsync(_at)).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
    }

    [Test]
    public async Task Component_that_cannot_be_read_is_a_health_issue_and_no_row()
    {
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "clearinghouseState", Count: 1));
        var result = await _worker.CheckAsync(_at);
        Assert.That(result.Observations.OfType<Monitoring.Data.Venues.HlpVaultComponent>().Count(), Is.EqualTo(6));
        var snapshot = result.Observations.OfType<Monitoring.Data.Venues.HlpVaultSnapshot>().Single();
        Assert.That((snapshot.IsHealthy, snapshot.HealthIssues.Single()), Is.EqualTo((false, snapshot.HealthIssues.Single())));
        Assert.That(snapshot.HealthIssues.Single(), Does.StartWith("component 0x").And.Contain("could not be read"));
        Assert.That(result.Findings.Select(finding => (finding.RuleId, finding.Severity)),
            Is.EqualTo(new[] { ("hlp.anomaly", Severity.Medium) }));
    }

    [Test]
    public async Task Answer_without_the_list_of_components_is_a_health_issue()
    {
        _worker.Venue.Faults.Add(new Fault(FaultKind.NoComponents, Type: "vaultDetails"));
        var result = await _worker.CheckAsync(_at);
        var snapshot = result.Observations.OfType<Monitoring.Data.Venues.HlpVaultSnapshot>().Single();
        Assert.That((result.Run.Outcome, snapshot.IsHealthy), Is.EqualTo((CheckOutcome.Succeeded, false)));
        Assert.That(snapshot.HealthIssues.Single(), Does.StartWith("the components are not known: "));
        Assert.That(result.Findings.Select(finding => (finding.RuleId, finding.Severity)),
            Is.EqualTo(new[] { ("hlp.anomaly", Severity.Medium) }));
    }

    [Test]
    public async Task Worker_that_stops_records_why_the_check_ended()
    {
        _worker.Venue.Faults.Add(new Fault(FaultKind.Hang));
        using var stopping = new CancellationTokenSource();
        var check = ((Monitoring.Worker.Checks.CheckRunner)_worker.Services.GetService(typeof(Monitoring.Worker.Checks.CheckRunner))!)
            .RunAsync(_worker.Schedule, _at, CheckTrigger.Grid, stopping.Token);
        await stopping.CancelAsync();
        Assert.That((await check).Run.Error, Is.EqualTo("the worker was stopped before the check ended"));
    }
}

/// <summary>Data that is there but not of now.</summary>
public sealed class FrozenVenueTests
{
    [Test]
    public async Task Answer_whose_newest_point_is_old_is_missing_data()
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var worker = await WorkerUnderTest.CreateAsync(clock);
        Assert.That((await worker.CheckAsync(ManualClock.Noon.AddMinutes(15))).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
        var frozen = await worker.CheckAsync(ManualClock.Noon.AddMinutes(15).AddSeconds(2));
        Assert.That((frozen.Run.Outcome, frozen.Run.Error), Is.EqualTo(
            (CheckOutcome.Failed, "hyperliquid vaultDetails: the newest point is of 2026-11-21 12:00:00Z, the venue serves old data")));
    }

    [Test]
    public async Task Vault_that_the_venue_does_not_know_is_missing_data()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            TimeProvider.System, settings: ("HLP_VAULT_ADDRESS", "0x0000000000000000000000000000000000000001"));
        Assert.That((await worker.CheckAsync(ManualClock.Noon)).Run.Error, Does.Contain("the answer is null"));
    }
}
