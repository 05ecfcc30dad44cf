using System.Text.Json;
using Microsoft.Extensions.Logging;
using Monitoring.Simulator.Faults;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;

namespace Monitoring.Tests.Venues;

/// <summary>The venue's ledger: what flowed, who funded whom.</summary>
public sealed class LedgerTests
{
    private const string Me = "0x2ba553d9f990a3b66b03b2dc0d030dfc1c061036";
    private const string Other = "0xaaa0c2769cb990f4f37db951a9e48de2385c2733";

    private static LedgerUpdate Update(string delta, long time = 1) =>
        RecordedAnswers.Parse<LedgerUpdate>($$"""{"time":{{time}},"hash":"0x1","delta":{{delta}}}""");

    [TestCase("hl_ledger_accountClassTransfer_deposit_2025-01.json", "97.142685")]
    [TestCase("hl_userNonFundingLedgerUpdates_0x2ba5_2025-08-30.json", "3803981.93")]
    public void Recorded_ledger_is_read_to_the_last_digit(string file, string flows)
    {
        var updates = RecordedAnswers.Parse<List<LedgerUpdate>>(RecordedAnswers.Text(file));
        using var document = JsonDocument.Parse(RecordedAnswers.Text(file));
        Assert.That(updates.Select(update => (update.Time, update.Delta.Type)),
            Is.EqualTo(document.RootElement.EnumerateArray().Select(update =>
                (update.GetProperty("time").GetInt64(), update.GetProperty("delta").GetProperty("type").GetString()!))));
        Assert.That(AccountValueIdentity.SumFlows(updates, Me, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue)!.Value,
            Is.EqualTo(decimal.Parse(flows)).Within(0.0001m));
    }

    [TestCase("""{"type":"deposit","usdc":"5.5"}""", 5.5)]
    [TestCase("""{"type":"withdraw","usdc":"5.5","nonce":1,"fee":"1.0"}""", -5.5)]
    [TestCase("""{"type":"accountClassTransfer","usdc":"5","toPerp":false}""", 0)]
    [TestCase($$"""{"type":"vaultDeposit","vault":"{{Me}}","usdc":"5"}""", 5)]
    [TestCase($$"""{"type":"vaultDeposit","vault":"{{Other}}","usdc":"5"}""", -5)]
    [TestCase($$"""{"type":"vaultWithdraw","vault":"{{Me}}","user":"{{Other}}" """
        + ""","requestedUsd":"5","commission":"0.5","closingCost":"0","basis":"4","netWithdrawnUsd":"4.5"}""", -5)]
    [TestCase($$"""{"type":"vaultWithdraw","vault":"{{Other}}","user":"{{Me}}" """
        + ""","requestedUsd":"5","commission":"0.5","closingCost":"0","basis":"4","netWithdrawnUsd":"4.5"}""", 4.5)]
    [TestCase($$"""{"type":"internalTransfer","usdc":"5","user":"{{Me}}","destination":"{{Other}}","fee":"1"}""", -6)]
    [TestCase($$"""{"type":"subAccountTransfer","usdc":"5","user":"{{Other}}","destination":"{{Me}}"}""", 5)]
    [TestCase($$"""{"type":"send","user":"{{Me}}","destination":"{{Me}}","token":"USDC","amount":"5","usdcValue":"5"}""", 0)]
    [TestCase("""{"type":"somethingNew","amount":{"of":1}}""", null)]
    public void Flow_has_the_sign_of_what_it_does_to_the_account(string delta, decimal? flow)
    {
        Assert.That(Update(delta).FlowTo(Me.ToUpperInvariant().Replace("0X", "0x")), Is.EqualTo(flow));
        Assert.That(AccountValueIdentity.SumFlows([Update(delta)], Me, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue),
            Is.EqualTo(flow), "unknown flows are not taken for none");
    }

    [Test]
    public void Funder_is_who_sent_the_first_money_and_nobody_where_it_came_from_outside()
    {
        var sent = Update($$"""{"type":"internalTransfer","usdc":"5","user":"{{Other}}","destination":"{{Me}}","fee":"1"}""", 20);
        var deposit = Update("""{"type":"deposit","usdc":"5"}""", 10);
        Assert.That(AccountFundings.FirstFunding([sent], Me), Is.EqualTo(new Funding(Other, DateTimeOffset.FromUnixTimeMilliseconds(20))));
        Assert.That(AccountFundings.FirstFunding([sent, deposit], Me), Is.Null);
        Assert.That(AccountFundings.FirstFunding([], Me), Is.Null);
    }

    [Test]
    public async Task Flows_are_explained_by_the_ledger_and_raise_no_data_issue()
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var worker = await WorkerUnderTest.CreateAsync(clock, "whale-liquidation", monitor: "inventory");
        await worker.CheckAsync(clock.GetUtcNow());
        clock.Advance(TimeSpan.FromMinutes(3)); // 130 M USD have left meanwhile
        worker.Venue.Faults.Add(new Fault(FaultKind.Null, "userNonFundingLedgerUpdates"));
        Assert.That((await worker.CheckAsync(clock.GetUtcNow())).Run.Error, Is.Null, "a ledger that cannot be read costs no check");
        worker.Venue.Faults.Clear();
        for (var i = 0; i < 3; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(3));
            await worker.CheckAsync(clock.GetUtcNow());
        }

        Assert.That(worker.Venue.Requests["userNonFundingLedgerUpdates"], Is.EqualTo(2),
            "asked until it answered, and not where nothing flowed");
        Assert.That(worker.Logs.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text),
            Has.None.Contains("contradict"));
    }

    [Test]
    public void Every_recorded_file_is_read_by_a_test()
    {
        var tests = Directory.GetFiles(Repository.File("tests/Monitoring.Tests"), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText).ToList();
        var files = Directory.GetFiles(Repository.File("tests/Monitoring.Tests/Recorded"), "*.json")
            .Select(file => Path.GetFileName(file)!).ToList();
        Assert.That(files.Where(file => !tests.Exists(text => text.Contains($"\"{file}\"", StringComparison.Ordinal))), Is.Empty);
        var sources = RecordedAnswers.Text("SOURCES.md");
        Assert.That(files.Where(file => !file.StartsWith("binance_", StringComparison.Ordinal)
            && !sources.Contains(file, StringComparison.Ordinal)),
            Is.Empty, "each says where it comes from");
    }
}
