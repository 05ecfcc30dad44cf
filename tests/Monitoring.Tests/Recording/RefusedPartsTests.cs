using Dapper;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Recording;

/// <summary>A result that the database refuses for a part of it is stored without that part, and what people must hear leaves.</summary>
public sealed class RefusedPartsTests() : RecorderFixture(new NamedChannel("webhook"))
{
    private const string Impossible = "a name with a \0 in it";

    private static HlpVaultComponent Component(string address) => new(Sample.Vault, address, Noon, 1, 2, 3, 0);

    private static CheckResult Result(IReadOnlyList<Finding> findings, params IEnumerable<string> components) => ResultSample.Of(
        "hlp-vault", Noon, CheckOutcome.Succeeded, findings, [],
        [Sample.Snapshot(Noon, Sample.Measures()), .. components.Select(Component)]);

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    [Test]
    public async Task Row_that_cannot_be_stored_is_left_out_named_and_counted_and_all_others_are_stored()
    {
        var names = Enumerable.Range(0, 107).Select(n => n == 61 ? Impossible : $"0x{n}");
        await Recorder.RecordAsync(Result([ResultSample.Finding("hlp.loss", "s", Severity.Critical)], names), default);
        Assert.That(await QueryAsync<(long, long, int)>("""
            SELECT (SELECT count(*) FROM hlp_vault_components), (SELECT count(*) FROM hlp_vault_snapshots),
                   (SELECT observations FROM check_runs WHERE monitor = 'hlp-vault')
            """), Is.EqualTo((106L, 1L, 107)));
        Assert.That(await QueryAsync<(string, string)>("SELECT (SELECT severity FROM security_events), (SELECT status FROM notifications)"),
            Is.EqualTo(("critical", "pending")), "the finding of the same check leaves");
        Assert.That(_logs.Lines, Has.One.Matches<(LogLevel Level, string Text)>(line => line.Level == LogLevel.Error
            && line.Text.Contains("is stored without 1 of its parts") && line.Text.Contains("invalid byte sequence")
            && line.Text.Contains("a name with a \\u0000 in it")));
        Assert.That(new JournalFolder(_journal).SetAside, Has.Count.EqualTo(1), "what was left out is kept");
        Assert.That(Recorder.Waiting, Is.Zero);
    }

    [Test]
    public async Task Critical_finding_that_cannot_be_stored_as_it_is_leaves_in_plain_text()
    {
        Finding[] findings =
            [ResultSample.Finding("hlp.loss", Impossible, Severity.Critical), ResultSample.Finding("hlp.sigma", "s", Severity.High)];
        await Recorder.RecordAsync(Result(findings), default);
        Assert.That(await QueryAsync<string[]>("SELECT array_agg(title ORDER BY rule_id) FROM security_events"),
            Is.EqualTo(new[] { "Critical a name with a ? in it", "High s" }));
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM notifications"), Is.EqualTo(2));
        Assert.That(await QueryAsync<int>("SELECT findings FROM check_runs WHERE monitor = 'hlp-vault'"), Is.EqualTo(2));
    }

    [Test]
    public async Task Error_that_cannot_be_stored_as_it_is_leaves_the_failed_check_in_the_ledger()
    {
        var failed = ResultSample.Of("hlp-vault", Noon, CheckOutcome.Failed, [], []);
        var refused = failed with { Run = failed.Run with { Error = $"no JSON: {Impossible}" } };
        await Recorder.RecordAsync(refused, default);
        Assert.That(await QueryAsync<string>("SELECT string_agg(error, '') FROM check_runs WHERE monitor = 'hlp-vault'"),
            Is.EqualTo("no JSON: a name with a ? in it"), string.Join('\n', _logs.Lines));
    }

    [Test]
    public async Task Of_many_parts_that_are_refused_as_many_trials_are_made_as_are_worth_it()
    {
        var trials = 0;
        var result = Result([], Enumerable.Range(0, 1000).Select(n => $"0x{n}"));
        var parts = (await RefusedParts.FindAsync((part, _) =>
        {
            trials++;
            return Task.FromResult(!part.Observations.OfType<HlpVaultComponent>().Any(row => row.ComponentAddress.EndsWith('7')));
        }, result, default))!;
        Assert.That((parts.Rest.Observations.Count + parts.Count, trials), Is.EqualTo((1001, trials)));
        Assert.That(trials, Is.LessThan(220));
        Assert.That(parts.Rest.Observations.OfType<HlpVaultComponent>().Select(row => row.ComponentAddress), Has.None.EndsWith("7"));
    }

    [Test]
    public async Task Result_that_is_refused_without_any_part_too_is_for_somebody_to_look_at() =>
        Assert.That(await RefusedParts.FindAsync((_, _) => Task.FromResult(false), Result([], "0x1"), default), Is.Null);

    private sealed class NamedChannel(string name) : INotificationChannel
    {
        public string Name => name;

        public Task<DeliveryOutcome> SendAsync(
            NotificationMessage message, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("nothing is sent here");
    }
}
