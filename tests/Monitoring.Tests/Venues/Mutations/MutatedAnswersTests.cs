using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Hyperliquid.Feed;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;

namespace Monitoring.Tests.Venues.Mutations;

/// <summary>
/// Two thousand answers, each with one value or element changed: the check ends without a defect, its result can be stored, nothing that
/// was open is over, nothing is invented, and what was not changed is judged as before.
/// </summary>
public sealed partial class MutatedAnswersTests
{
    private const int OfVault = 150, OfComponents = 100, OfAccount = 350, OfMarkets = 350, OfFills = 300, OfLedger = 150, OfFeed = 100;
    private const int OfEachPrice = 100;


    private readonly HashSet<string> _stored = [];
    private readonly TestLogs _logs = new();
    private WorkerUnderTest _worker = null!;

    [SetUp]
    public async Task StartDatabase() => _worker = await WorkerUnderTest.CreateAsync(new ManualClock(RecordedAnswers.PortfolioAt));

    [TearDown]
    public async Task NothingIsADefect()
    {
        await _worker.DisposeAsync();
        Assert.That(_logs.Lines.Select(line => line.Text), Has.None.Contains("defect of this program"));
        _logs.Dispose();
    }

    [Test]
    public void There_are_two_thousand() =>
        Assert.That(OfVault + OfComponents + OfAccount + OfMarkets + OfFills + OfLedger + OfFeed + (5 * OfEachPrice), Is.EqualTo(2000));

    [Test]
    public Task Vault() => RunAsync("hlp-vault", "vaultDetails", OfVault, seed: 1, (good, changed, mutation) =>
    {
        if (changed.Run.Outcome != CheckOutcome.Succeeded)
            return;
        var (was, now) = (good.Observations.OfType<HlpVaultSnapshot>().Single(), changed.Observations.OfType<HlpVaultSnapshot>().Single());
        AssertSaid(mutation, now.AccountValue, now.AllTimePnl);
        Assert.That(changed.Observations.OfType<HlpVaultComponent>().Select(row => row.ComponentAddress),
            Is.SupersetOf(good.Observations.OfType<HlpVaultComponent>().Select(row => row.ComponentAddress)), "a component was lost");
        if (mutation.Path.StartsWith("$.relationship", StringComparison.Ordinal))
            Assert.That((now.AccountValue, now.Pnl24h, now.DrawdownPct), Is.EqualTo((was.AccountValue, was.Pnl24h, was.DrawdownPct)));
    });

    [Test]
    public Task Components() => RunAsync("inventory", "vaultDetails", OfComponents, seed: 2, (good, changed, mutation) =>
    {
        if (changed.Run.Outcome == CheckOutcome.Succeeded && mutation.Path.StartsWith("$.relationship", StringComparison.Ordinal))
            Assert.That(changed.Observations.Cast<HlpVaultPosition>(), Is.EquivalentTo(good.Observations), "a component was lost");
    }, later: 200);

    [Test]
    public Task Account() => RunAsync("inventory", $"clearinghouseState {CannedVenue.Whale}", OfAccount, seed: 3,
        (good, changed, mutation) =>
        {
            Assert.That(changed.Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded), "the other account is there");
            var index = mutation.IndexAfter("$.assetPositions");
            var rows = changed.Observations.OfType<HlpVaultPosition>().ToList();
            var coins = good.Observations.OfType<HlpVaultPosition>().Where(row => row.VaultAddress == CannedVenue.Whale).ToList();
            var mine = index is { } i ? coins[i].Coin : null;
            var others = good.Observations.Cast<HlpVaultPosition>().Where(row => (row.VaultAddress, row.Coin) != (CannedVenue.Whale, mine));
            Assert.That(rows, index is null
                ? Is.SupersetOf(others.Where(row => row.VaultAddress != CannedVenue.Whale)) : Is.SupersetOf(others), "not judged");
            foreach (var row in rows.Except(good.Observations.Cast<HlpVaultPosition>()))
                AssertSaid(mutation, row.Size, row.NotionalUsd, row.UnrealizedPnl);
        });

    [Test]
    public Task Markets() => RunAsync("oracle", "metaAndAssetCtxs", OfMarkets, seed: 4, (good, changed, mutation) =>
    {
        if ((mutation.IndexAfter("$[0].universe") ?? mutation.IndexAfter("$[1]")) is not { } index || mutation.IsOfTheList)
            return; // nobody can say which market is whose
        Assert.That(changed.Run.Error, Is.Null);
        var others = good.Observations.Cast<OracleDeviation>().Where(row => row.Asset != RecordedAnswers.Coins[index]).Select(Plain);
        Assert.That(changed.Observations.Cast<OracleDeviation>().Select(Plain), Is.SupersetOf(others), "not judged");
        Assert.That(changed.Findings.Select(finding => finding.Subject.Id).Except(["BTC", RecordedAnswers.Coins[index]])
            .Where(subject => !subject.Contains('~')), Is.Empty);
        foreach (var row in changed.Observations.Cast<OracleDeviation>())
            AssertSaid(mutation, row.HyperliquidPrice, row.MarkPrice);
    });

    [TestCase("/api/v3/ticker/bookTicker", 5)]
    [TestCase("/api/v5/market/tickers", 6)]
    [TestCase("/0/public/Ticker", 7)]
    [TestCase("/v2/updates/price/latest", 8)]
    [TestCase("/products/BTC-USD/ticker", 9)]
    public Task References(string answer, int seed) => RunAsync("oracle", answer, OfEachPrice, seed, (good, changed, _) =>
    {
        Assert.That(changed.Run.Error, Is.Null);
        Assert.That(changed.Observations.Cast<OracleDeviation>().Select(row => (row.Asset, row.Severity, row.RiskScore is not null)),
            Is.EqualTo(good.Observations.Cast<OracleDeviation>().Select(row => (row.Asset, row.Severity, row.RiskScore is not null))));
        Assert.That(changed.Findings.Select(finding => finding.Fingerprint), Is.EqualTo(good.Findings.Select(f => f.Fingerprint)));
    });

    [Test]
    public Task Fills() => RunAsync("liquidations", $"userFillsByTime {CannedVenue.Whale}", OfFills, seed: 10, (good, changed, mutation) =>
    {
        var rows = changed.Observations.OfType<LiquidationFill>().ToList();
        var was = good.Observations.OfType<LiquidationFill>().ToList();
        if (mutation.IndexAfter("$") is { } index)
        {
            Assert.That(changed.Run.Error, Is.Null);
            Assert.That(rows, Is.SupersetOf(was.Where(row => row.Tid != 9000 + index - 20)), "not judged");
        }

        foreach (var row in rows.Except(was))
            AssertSaid(mutation, row.Price, row.Size);
        if (changed.Run.Outcome == CheckOutcome.Succeeded && rows.Count < was.Count && mutation.What != "removed"
            && !mutation.Path.EndsWith("liquidation", StringComparison.Ordinal))
            Assert.That(changed.Unjudged, Has.Member($"monitor.stale:liquidations {CannedVenue.Whale}"), "left out and not named");
    }, isFirst: true);

    [Test]
    public async Task Ledger()
    {
        using var venue = new CannedVenue(RecordedAnswers.PortfolioAt, _logs);
        var key = $"userNonFundingLedgerUpdates {CannedVenue.Whale}";
        var text = venue.Text(key);
        var good = await venue.Client.GetLedgerAsync(CannedVenue.Whale, DateTimeOffset.UnixEpoch, null, default);
        var random = new Random(11);
        for (var i = 0; i < OfLedger; i++)
        {
            var mutation = JsonMutation.Of(text, random);
            venue.Set(key, mutation.Bytes(random));
            try
            {
                var changed = await venue.Client.GetLedgerAsync(CannedVenue.Whale, DateTimeOffset.UnixEpoch, null, default);
                AccountValueIdentity.SumFlows(changed, CannedVenue.Whale, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
                AccountFundings.FirstFunding(changed, CannedVenue.Whale);
                if (mutation.IndexAfter("$") is { } index)
                    Assert.That(changed, Is.SupersetOf(good.Where((_, place) => place != index)), $"{mutation}");
            }
            catch (MissingDataException)
            {
                Assert.That(mutation.IndexAfter("$"), Is.Null, $"{mutation}");
            }
        }
    }

    [Test]
    public void Feed()
    {
        var random = new Random(12);
        using var venue = new CannedVenue(ManualClock.Noon, _logs);
        var fills = $$"""{"channel":"userFills","data":{"user":"0xa","fills":{{venue.Text($"userFillsByTime {CannedVenue.Whale}")}} } }""";
        var trades = RecordedAnswers.Text("hl_ws_trades_HYPE_2025-12-04.json").Replace("\"data\": [", "\"data\": [{\"coin\":\"BTC\","
            + "\"px\":\"1.5\",\"time\":1764835613064,\"tid\":1},");
        for (var i = 0; i < OfFeed; i++)
        {
            var mutation = JsonMutation.Of(i % 2 == 0 ? fills : trades, random);
            try
            {
                var frame = FeedFrame.Read(mutation.Bytes(random));
                if (mutation.IndexAfter(i % 2 == 0 ? "$.data.fills" : "$.data") is not null)
                    Assert.That(frame is FeedFrame.Fills { Items.Total: >= 27 } or FeedFrame.Trades { Items.Total: >= 1 }, $"{mutation}");
            }
            catch (Exception fault) when (HyperliquidJson.IsOfTheText(fault))
            {
                Assert.That(mutation.Path, Does.Not.Match(@"^\$\.data(\.fills)?\["), $"{mutation}");
            }
        }
    }

    private async Task RunAsync(string monitor, string answer, int count, int seed,
        Action<CheckResult, CheckResult, JsonMutation> judge, double later = 10, bool isFirst = false)
    {
        var recorder = _worker.Services.GetRequiredService<DatabaseRecorder>();
        var random = new Random(seed);
        var good = await CheckAsync(monitor, later, isFirst, _ => { });
        Assert.That(good.Run.Error, Is.Null);
        Assert.That(good.Findings, Is.Not.Empty, "something is open");
        var text = new CannedVenue(RecordedAnswers.PortfolioAt, _logs).Text(answer);
        for (var i = 0; i < count; i++)
        {
            var mutation = JsonMutation.Of(text, random);
            var changed = await CheckAsync(monitor, later, isFirst, venue => venue.Set(answer, mutation.Bytes(random)));
            try
            {
                var unjudged = new FingerprintEntries(changed.Unjudged);
                if (changed.Run.Outcome == CheckOutcome.Succeeded && !isFirst)
                    Assert.That(good.Findings.Select(finding => finding.Fingerprint).Except(changed.Findings.Select(f => f.Fingerprint))
                        .Where(fingerprint => !unjudged.Contains(fingerprint)), Is.Empty, "over by a change of the answer");
                judge(good, changed, mutation);
                await StoreAsync(recorder, changed);
            }
            catch (Exception fault)
            {
                throw new AssertionException($"{monitor}, number {i}: {mutation.What} at {mutation.Path}\n{fault.Message}", fault);
            }
        }
    }

    // The check after one of the good answers, or the first of a process.
    private async Task<CheckResult> CheckAsync(string monitor, double later, bool isFirst, Action<CannedVenue> change)
    {
        using var venue = new CannedVenue(RecordedAnswers.PortfolioAt, _logs);
        if (monitor == "inventory")
            venue.ListEveryCoin();
        if (!isFirst)
            await venue.CheckAsync(monitor);
        change(venue);
        return await venue.CheckAsync(monitor, isFirst ? 0 : later);
    }

    // Through JSON, as from the journal, and under a time of its own. What differs from an earlier one in digits alone can be stored as it.
    private async Task StoreAsync(DatabaseRecorder recorder, CheckResult result)
    {
        var json = JsonSerializer.Serialize(result, CheckResult.Json);
        if (!_stored.Add(DigitText().Replace(json, "")))
            return;
        static string Text(DateTimeOffset at) => JsonSerializer.Serialize(at).Trim('"');
        var at = result.Run.ScheduledAt;
        var moved = json.Replace(Text(at), Text(at.AddSeconds(_stored.Count)), StringComparison.Ordinal);
        await recorder.WriteAsync(JsonSerializer.Deserialize<CheckResult>(moved, CheckResult.Json)!, default);
        Assert.That(await CountStoredAsync(), Is.EqualTo(_stored.Count));
    }

    private async Task<long> CountStoredAsync()
    {
        await using var command = _worker.Db.CreateCommand("SELECT count(*) FROM check_runs");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static OracleDeviation Plain(OracleDeviation row) => row with { LeftOut = [] };

    // Every number of a row is one that the answer has.
    private static void AssertSaid(JsonMutation mutation, params decimal[] values)
    {
        var said = NumberText().Matches(mutation.Text).Select(match =>
            decimal.TryParse(match.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 0).ToHashSet();
        Assert.That(values.Where(value => !said.Contains(value)), Is.Empty, "invented");
    }

    [GeneratedRegex(@"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NumberText();

    [GeneratedRegex("[0-9]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DigitText();
}
