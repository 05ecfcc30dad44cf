using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Inventory;

namespace Monitoring.Tests.Venues;

public sealed class InventoryRulesTests
{
    private const string Component = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";

    private static InventoryStep Step(decimal? share, decimal? earlier, decimal size = -10, decimal pnl = -5) =>
        new(new HlpVaultPosition(Component, Sample.Vault, "ETH", ManualClock.Noon, size, 1_000_000, pnl, share, OpenInterestPct: 7.5m),
            earlier);

    private static Finding? Find(decimal? share, decimal? earlier) =>
        InventoryRules.Evaluate([Step(share, earlier)], equity: 2_000_000, InventoryThresholds.Default).SingleOrDefault();

    // Thresholds are inclusive; a jump is at least high, and never lowers what the share alone says.
    [TestCase(14.9999, 14.9999, null)]
    [TestCase(15, 15, Severity.Medium)]
    [TestCase(29.9999, 25, Severity.Medium)]
    [TestCase(30, 25, Severity.High)]
    [TestCase(50, 45, Severity.Critical)]
    [TestCase(9.9999, 0, null)]
    [TestCase(10, 0, Severity.High)]
    [TestCase(25, 15.0001, Severity.Medium)]
    [TestCase(25, 15, Severity.High)]
    [TestCase(68, 0, Severity.Critical)]
    [TestCase(5, 40, null)]
    public void Severity_follows_the_share_and_its_jump(decimal share, decimal earlier, Severity? expected) =>
        Assert.That(Find(share, earlier)?.Severity, Is.EqualTo(expected));

    [Test]
    public void Jump_is_not_judged_without_an_earlier_check()
    {
        Assert.That(Find(14, earlier: null), Is.Null);
        Assert.That(Find(16, earlier: null)!.Severity, Is.EqualTo(Severity.Medium));
        Assert.That(Find(16, earlier: null)!.Evidence.Arithmetic, Has.Some.Contains("no earlier check"));
    }

    [Test]
    public void Share_without_a_base_is_neither_found_nor_clean()
    {
        var step = Step(share: null, earlier: 60);
        Assert.That(InventoryRules.Evaluate([step], equity: -1, InventoryThresholds.Default), Is.Empty);
        Assert.That(InventoryRules.Unjudged([], [step]), Is.EqualTo(new[] { $"hlp.inventory:{Component}:ETH" }));
    }

    [Test]
    public void Finding_names_component_coin_side_and_its_arithmetic()
    {
        var finding = Find(50, 39.5m)!;
        Assert.That((finding.Fingerprint, finding.ThreatType, finding.EstimatedLossUsd),
            Is.EqualTo(($"hlp.inventory:{Component}:ETH", "hlp_concentration", (decimal?)5)));
        Assert.That(finding.RelatedAddresses, Is.EqualTo(new[] { Component }));
        Assert.That(finding.Title, Is.EqualTo("HLP component 0x2e3d…dd14 holds 1.00 M USD of ETH short, 50.0 % of HLP's equity"));
        Assert.That(finding.Evidence.Arithmetic, Is.EqualTo(new[]
        {
            "share = 100 * 1000000.00 / 2000000.00 = 50 %: >= 50: critical", "jump = 50 - 39.5 = 10.5 points >= 10: at least high",
        }));
        Assert.That(JsonNode.DeepEquals(finding.Evidence.Thresholds, new JsonObject
        {
            ["medium_pct"] = 15m, ["high_pct"] = 30m, ["critical_pct"] = 50m, ["jump_points"] = 10m,
        }),
            Is.True);
        Assert.That((decimal)finding.Evidence.Values["open_interest_pct"]!, Is.EqualTo(7.5m));
    }

    [Test]
    public void Unread_component_leaves_all_its_coins_unjudged() =>
        Assert.That(InventoryRules.Unjudged([InventoryRules.SubjectOf(Component, "*")], []),
            Is.EqualTo(new[] { $"hlp.inventory:{Component}:*" }));
}
