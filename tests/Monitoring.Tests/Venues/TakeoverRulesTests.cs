using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Inventory;

namespace Monitoring.Tests.Venues;

public sealed class TakeoverRulesTests
{
    private const string Component = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";
    private const decimal Equity = 400_000_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly SharePast Flat = new(new ShareLow(ManualClock.Noon.AddMinutes(-12), 0), IsWhole: true);
    private static readonly SharePast Held = new(null, IsWhole: true);

    private static InventoryStep Step(decimal? share, SharePast past) =>
        new(new HlpVaultPosition(
            Component, Sample.Vault, "JELLY", ManualClock.Noon, -398_000_000, (share ?? 1) * Equity / 100, 0, share, null), null)
        { Past = past };

    private static Finding? Find(decimal? share, SharePast past) =>
        TakeoverRules.Evaluate([Step(share, past)], Equity, TakeoverThresholds.Default).SingleOrDefault();

    private static IReadOnlyList<string> Unjudged(decimal? share, SharePast past) =>
        TakeoverRules.Unjudged([], [Step(share, past)], TakeoverThresholds.Default);

    [TestCase(0.4999, null)]
    [TestCase(0.5, Severity.Medium)]
    [TestCase(1.9999, Severity.Medium)]
    [TestCase(2, Severity.High)]
    [TestCase(68, Severity.High)]
    public void Share_of_what_was_not_held_before_is_medium_or_high(decimal share, Severity? expected)
    {
        Assert.That(Find(share, Flat) is { IsHolding: false } finding ? finding.Severity : (Severity?)null, Is.EqualTo(expected));
        Assert.That(Find(share, Held)!.IsHolding, Is.True, "what was held all along was not taken over");
    }

    [TestCase(0.25, true)]
    [TestCase(0.2499, null)]
    public void Event_is_held_open_down_to_half_of_the_threshold(decimal share, bool? expected)
    {
        foreach (var past in new[] { Flat, Held, SharePast.Unknown })
            Assert.That(Find(share, past)?.IsHolding, Is.EqualTo(expected));
    }

    [Test]
    public void Unknown_past_or_share_is_not_judged()
    {
        string[] unjudged = [$"hlp.takeover:{Component}:JELLY"];
        Assert.That(Find(5, SharePast.Unknown)!.IsHolding, Is.True, "opens nothing, and ends nothing");
        Assert.That(Unjudged(5, SharePast.Unknown), Is.EqualTo(unjudged));
        Assert.That(Unjudged(null, Flat), Is.EqualTo(unjudged));
        Assert.That(Unjudged(0.4m, SharePast.Unknown), Is.Empty, "too small to be one");
        Assert.That(Unjudged(5, Held), Is.Empty);
        Assert.That(Unjudged(5, Flat with { IsWhole = false }), Is.Empty, "one moment is enough");
        Assert.That(TakeoverRules.Unjudged([InventoryRules.SubjectOf(Component, "*")], [], TakeoverThresholds.Default),
            Is.EqualTo(new[] { $"hlp.takeover:{Component}:*" }));
    }

    [Test]
    public void Finding_says_since_when()
    {
        var finding = Find(1.125m, Flat)!;
        Assert.That((finding.Fingerprint, finding.ThreatType, finding.EstimatedLossUsd, finding.Title), Is.EqualTo((
            $"hlp.takeover:{Component}:JELLY", "hlp_concentration", (decimal?)null,
            "HLP component 0x2e3d…dd14 took over 4.50 M USD of JELLY short within 12 min, 1.1 % of HLP's equity")));
        Assert.That(finding.Evidence.Arithmetic, Is.EqualTo(new[]
        {
            "share = 100 * 4500000.00 / 400000000.00 = 1.125 % >= 0.5: medium",
            "share 12 min before, at 2026-11-21 11:48:00Z = 0 % <= 0.05: taken over since",
        }));
    }

    // The past of one component, whose shares of one coin are given by seconds; a share of 0 is not held.
    private static SharePast PastOf(DateTimeOffset now, params (double Second, decimal? Share)[] checks)
    {
        ComponentPast? past = null;
        foreach (var (second, share) in checks)
        {
            var (at, shares) = (ManualClock.Noon.AddSeconds(second), Shares(share));
            if (past is null)
                past = new ComponentPast(at, shares,
                    ComponentPast.CoinsAbove(shares, 0.05m).ToDictionary(coin => coin, _ => (ShareLow?)null), at);
            else
                past.Add(at, Interval, shares, 0.05m);
        }

        return past!.FindPast("JELLY", now.AddHours(-1));
    }

    private static Dictionary<string, decimal?> Shares(decimal? share) =>
        share == 0 ? new() { ["BTC"] = 1 } : new() { ["BTC"] = 1, ["JELLY"] = share };

    private static DateTimeOffset Second(double second) => ManualClock.Noon.AddSeconds(second);

    [Test]
    public void Newest_moment_of_next_to_nothing_is_kept_through_many_steps()
    {
        (double, decimal?)[] checks =
            [(0, 0m), (10, 0.05m), (20, 0.0501m), (30, 0.3m), .. Enumerable.Range(4, 300).Select(i => (10.0 * i, (decimal?)(i * 0.1m)))];
        Assert.That(PastOf(Second(3040), checks), Is.EqualTo(new SharePast(new ShareLow(Second(10), 0.05m), IsWhole: false)));
        Assert.That(PastOf(Second(3610), checks).Low!.At, Is.EqualTo(Second(10)), "an hour ago");
        Assert.That(PastOf(Second(3610.1), checks), Is.EqualTo(new SharePast(null, IsWhole: true)), "longer ago");
    }

    [Test]
    public void Share_that_is_not_known_is_no_moment_of_next_to_nothing()
    {
        Assert.That(PastOf(Second(30), (0, 1m), (10, null), (20, 1m)).Low, Is.Null);
        Assert.That(PastOf(Second(30), (0, 0m), (10, null), (20, 1m)).Low!.At, Is.EqualTo(Second(0)));
        Assert.That(PastOf(Second(30), (0, 1m), (10, 0m), (20, 1m)).Low!.At, Is.EqualTo(Second(10)), "not held then");
    }

    [Test]
    public void Hour_with_a_long_gap_is_not_known()
    {
        Assert.That(PastOf(Second(7200), (0, 1m), (3600, 1m), (7190, 1m)).IsWhole, Is.False);
        (double, decimal?)[] whole = [.. Enumerable.Range(0, 13).Select(i => (600.0 * i, (decimal?)1m))];
        Assert.That(PastOf(Second(7200), whole).IsWhole, Is.True);
    }

    [Test]
    public void What_was_stored_completes_what_this_process_saw()
    {
        var unknown = new Dictionary<string, ShareLow?> { ["BTC"] = null, ["JELLY"] = null };
        var seen = new ComponentPast(Second(0), Shares(2), unknown, Second(0));
        var stored = new ComponentPast(Second(-60), Shares(0), new Dictionary<string, ShareLow?> { ["BTC"] = null }, Second(-7200));
        seen.Complete(stored);
        Assert.That(seen.FindPast("JELLY", Second(-3600)), Is.EqualTo(new SharePast(new ShareLow(Second(-60), 0), IsWhole: true)));
        Assert.That(seen.FindPast("BTC", Second(-3600)), Is.EqualTo(new SharePast(null, IsWhole: true)));
    }
}
