using System.Text.Json;
using Monitoring.Data.Venues;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Liquidations;
using static Monitoring.Tests.Venues.Liquidations.LiquidationSample;

namespace Monitoring.Tests.Venues.Liquidations;

public sealed class LiquidationMappingTests
{
    [Test]
    public void Market_liquidation_is_told_by_the_object_on_either_side_of_the_trade()
    {
        var (victim, maker) = (Fill("B", "Close Short", "market"), Fill("A", "Open Short", "market"));
        var seenByVictim = LiquidationMapping.Map(victim, Watched)!;
        var seenByMaker = LiquidationMapping.Map(maker, Vault)!;
        Assert.That((seenByVictim.Method, seenByVictim.Side, seenByVictim.Counterparty, seenByVictim.Coverage),
            Is.EqualTo((LiquidationMethod.Market, LiquidationSide.Short, (string?)null, LiquidationCoverage.Account)));
        Assert.That((seenByMaker.Method, seenByMaker.Side, seenByMaker.Counterparty, seenByMaker.Coverage),
            Is.EqualTo((LiquidationMethod.Market, LiquidationSide.Short, (string?)Maker, LiquidationCoverage.HlpSample)));
        // Both carry the same tid: one trade, one row, whichever is read first.
        foreach (var order in new[] { new[] { seenByVictim, seenByMaker }, [seenByMaker, seenByVictim] })
            Assert.That(LiquidationMapping.Merge(order), Is.EqualTo(new[] { seenByMaker }));
    }

    [TestCase("B", LiquidationSide.Long)]
    [TestCase("A", LiquidationSide.Short)]
    public void Maker_buys_from_a_liquidated_long(string makerSide, LiquidationSide expected) =>
        Assert.That(LiquidationMapping.Map(Fill(makerSide, "Open Long", "market"), Vault)!.Side, Is.EqualTo(expected));

    [TestCase("Close Short")]
    [TestCase("Liquidated Cross Long")]
    [TestCase("Open Long")]
    public void Fill_without_the_object_is_no_liquidation_whatever_its_direction_is_called(string dir) =>
        Assert.That(LiquidationMapping.Map(Fill("A", dir, null), Vault), Is.Null);

    [Test]
    public void Backstop_takes_the_side_from_its_direction()
    {
        var row = LiquidationMapping.Map(Fill("A", "Liquidated Isolated Short", "backstop"), Vault)!;
        Assert.That((row.Method, row.Side, row.LiquidatedUser, row.Counterparty, row.Coverage),
            Is.EqualTo((LiquidationMethod.Backstop, LiquidationSide.Short, Victim, (string?)Maker, LiquidationCoverage.HlpComplete)));
        Assert.That(LiquidationMapping.Map(Fill("B", "Something new", "backstop"), Vault)!.Side, Is.EqualTo(LiquidationSide.Long));
    }

    [Test]
    public void Vault_that_is_itself_the_liquidated_user_is_deleveraged_against()
    {
        var vault = LiquidationMapping.Map(
            Fill("A", "Liquidated Cross Long", "backstop", user: Maker.ToUpperInvariant().Replace('X', 'x')), Vault)!;
        var trader = LiquidationMapping.Map(Fill("B", "Auto-Deleveraging", "backstop", user: Maker), Watched)!;
        Assert.That((vault.Method, vault.Side, vault.LiquidatedUser, vault.Counterparty),
            Is.EqualTo((LiquidationMethod.Adl, LiquidationSide.Long, Maker, (string?)null)));
        Assert.That((trader.Method, trader.Side, trader.LiquidatedUser, trader.Counterparty),
            Is.EqualTo((LiquidationMethod.Adl, LiquidationSide.Long, Maker, (string?)Victim)));
        Assert.That(LiquidationMapping.Merge([vault, trader]), Is.EqualTo(new[] { trader }));
        // A watched account that is liquidated into the backstop is no deleveraging.
        Assert.That(LiquidationMapping.Map(Fill("A", "Liquidated Cross Long", "backstop"), Watched)!.Method,
            Is.EqualTo(LiquidationMethod.Backstop));
    }

    [TestCase(-0.5)]
    [TestCase(0)]
    [TestCase(12.25)]
    public void Size_is_price_times_size_and_never_the_closed_pnl(decimal closedPnl) =>
        Assert.That(LiquidationMapping.Map(Fill("A", "Close Long", "market", closedPnl: closedPnl, px: 0.123456789m, sz: 81.0000001m),
            Watched)!.NotionalUsd, Is.EqualTo(0.123456789m * 81.0000001m));

    [Test]
    public void Hash_of_zeros_is_no_hash()
    {
        Assert.That(LiquidationMapping.Map(Fill("A", "Close Long", "market", hash: ZeroHash), Vault)!.Hash, Is.Null);
        Assert.That(LiquidationMapping.Map(Fill("A", "Close Long", "market", hash: "0x0AB"), Vault)!.Hash, Is.EqualTo("0x0ab"));
        Assert.That(LiquidationMapping.Map(Fill("A", "Close Long", "market", hash: null), Vault)!.Hash, Is.Null);
    }

    [Test]
    public void Borrower_whom_the_venue_does_not_name_is_unknown() =>
        Assert.That(LiquidationMapping.Map(Fill("A", "Backstop Borrow Liquidation", "backstop", user: null), Vault)!.LiquidatedUser,
            Is.EqualTo(LiquidationMapping.UnknownUser));

    [Test]
    public void Fills_of_2023_have_neither_tid_nor_fee_token_and_are_read()
    {
        var fills = RecordedAnswers.Parse<List<Fill>>(RecordedAnswers.Text("hl_userFills_0xb7b6_2023-07-17.json"));
        using var document = JsonDocument.Parse(RecordedAnswers.Text("hl_userFills_0xb7b6_2023-07-17.json"));
        Assert.That(fills, Has.Count.EqualTo(document.RootElement.GetArrayLength()));
        Assert.That(fills, Has.All.Matches<Fill>(fill => fill.Tid is null && fill.FeeToken is null && fill.Liquidation is null));
        Assert.That(fills.Sum(fill => fill.Px * fill.Sz), Is.EqualTo(document.RootElement.EnumerateArray()
            .Sum(fill => decimal.Parse(fill.GetProperty("px").GetString()!) * decimal.Parse(fill.GetProperty("sz").GetString()!))));
        Assert.That(fills.Select(fill => LiquidationMapping.Map(fill, Watched)), Has.All.Null);
    }

    [Test]
    public void Fill_without_tid_gets_one_that_is_always_the_same_and_meets_no_real_one()
    {
        var old = Fill("A", "Close Long", "market") with { Tid = null };
        var row = LiquidationMapping.Map(old, Watched)!;
        Assert.That(row.Tid, Is.Negative.And.EqualTo(LiquidationMapping.Map(old, Watched)!.Tid));
        Assert.That(LiquidationMapping.Map(old with { Sz = 2 }, Watched)!.Tid, Is.Not.EqualTo(row.Tid));
    }

    [Test]
    public void Liquidation_is_read_from_the_venues_own_words()
    {
        var fill = RecordedAnswers.Parse<List<Fill>>("""
            [{"coin":"BTC","px":"102000.5","sz":"0.25","side":"A","time":1760130900123,"startPosition":"0.0",
              "dir":"Liquidated Isolated Short","closedPnl":"0.0","hash":"0xab",
              "oid":1,"crossed":true,"fee":"0.0","feeToken":"USDC","tid":1118274829384723,"twapId":null,"somethingNew":{},
              "liquidation":{"liquidatedUser":"0xAbC0000000000000000000000000000000000001","markPx":"101999.0","method":"backstop"}}]
            """)[0];
        var row = LiquidationMapping.Map(fill, Vault)!;
        Assert.That((row.LiquidatedUser, row.Tid, row.NotionalUsd, row.ObservedAt.Millisecond),
            Is.EqualTo(("0xabc0000000000000000000000000000000000001", 1118274829384723L, 25500.125m, 123)));
    }
}
