using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Monitoring.Data.Checks;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Tests.Venues.Mutations;

/// <summary>
/// The real monitors and clients on recorded answers, without network and database: what an answer says is for the test to change. Vault
/// and inventory judge by thresholds so low that everything is an event, and the oracle of BTC is off by two percent.
/// </summary>
internal sealed class CannedVenue : HttpMessageHandler, IRecorder
{
    public const string Whale = "0x010461c14e146ac35fe42271bdc1134ee31c703a";
    public const string Small = "0x31ca8395cf837de08b24da3f660e77761dfb974b";

    private readonly Dictionary<string, byte[]> _answers = [];
    private readonly Dictionary<string, IMonitor> _monitors = [];
    private readonly CheckRunner _runner;

    public CannedVenue(DateTimeOffset now, TestLogs logs)
    {
        Clock = new ManualClock(now);
        foreach (var (key, text) in RecordedAnswers.Canned(now))
            Set(key, text);
        LeftOut = new LeftOutParts(logs.For<LeftOutParts>());
        Client = new HyperliquidClient(Http(), new WeightBudget(Clock, 1_000_000), new HyperliquidPipeline(Clock), LeftOut);
        AddMonitors(logs);
        _runner = new CheckRunner(name => _monitors[name], this, DataSubjects.Rules, new SessionStatistics(Clock),
            new WorkerIdentity("test"), Clock, logs.For<CheckRunner>());
    }

    public ManualClock Clock { get; }

    public HyperliquidClient Client { get; }

    public LeftOutParts LeftOut { get; }

    /// <summary>What was asked for, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Lets a question be answered so; null: as if it did not know what it is asked for.</summary>
    public void Set(string key, string? text) => Set(key, text is null ? null : Encoding.UTF8.GetBytes(text));

    public void Set(string key, byte[]? body)
    {
        if (body is null)
            _answers.Remove(key);
        else
            _answers[key] = body;
    }

    /// <summary>An answer as it is now, to be changed.</summary>
    public string Text(string key) => Encoding.UTF8.GetString(_answers[key]);

    /// <summary>Changes an answer.</summary>
    public void Change(string key, Action<JsonNode> change)
    {
        var root = JsonNode.Parse(_answers[key])!;
        change(root);
        Set(key, root.ToJsonString());
    }

    /// <summary>Lets the venue list every coin that an account holds, of which no price source knows anything.</summary>
    public void ListEveryCoin() => Change("metaAndAssetCtxs", markets =>
    {
        foreach (var account in (string[])[Whale, Small])
            foreach (var held in JsonNode.Parse(Text($"clearinghouseState {account}"))!["assetPositions"]!.AsArray())
            {
                var coin = (string)held!["position"]!["coin"]!;
                if (markets[0]!["universe"]!.AsArray().Any(market => (string)market!["name"]! == coin))
                    continue;
                markets[0]!["universe"]!.AsArray().Add(new JsonObject { ["name"] = coin });
                markets[1]!.AsArray().Add(markets[1]![0]!.DeepClone());
            }
    });

    /// <summary>Checks so much later than the check before.</summary>
    public Task<CheckResult> CheckAsync(string monitor, double seconds = 0)
    {
        Clock.Advance(TimeSpan.FromSeconds(seconds));
        return _runner.RunAsync(
            new MonitorSchedule(monitor, TimeSpan.FromSeconds(10)), Clock.GetUtcNow(), CheckTrigger.Grid, CancellationToken.None);
    }

    /// <inheritdoc/>
    public void Record(CheckResult result)
    {
        // What the tests look at is what the check returns.
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var key = request.RequestUri!.PathAndQuery;
        if (request.Content is { } content)
        {
            using var body = JsonDocument.Parse(await content.ReadAsByteArrayAsync(cancellationToken));
            key = body.RootElement.GetProperty("type").GetString()!;
            if (body.RootElement.TryGetProperty("user", out var user))
                key += $" {user.GetString()}";
        }

        Asked.Add(key);
        if (!_answers.TryGetValue(key, out var answer) && !_answers.TryGetValue(key.Split('?')[0], out answer))
            return new HttpResponseMessage(HttpStatusCode.NotFound) { Content = new StringContent("{}") };
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(answer) };
    }

    private HttpClient Http() => new(this, disposeHandler: false) { BaseAddress = new Uri("http://canned.test") };

    private void AddMonitors(TestLogs logs)
    {
        var vault = new HlpVaultOptions(Sample.Vault, TimeSpan.FromSeconds(10), HlpVaultThresholds.Default with
        {
            LossHighUsd = 1, LossHighPct = 0.0001m, DrawdownHighPct = 0.01m, SigmaMedium = 0, AnomalyHigh = 0.01m,
        });
        var components = new KnownComponents(logs.For<KnownComponents>());
        _monitors[HlpVaultMonitor.MonitorName] = new HlpVaultMonitor(
            Client, new HlpVaultHistory(vault, null, new PastReads(), logs.For<HlpVaultHistory>()), components, vault);
        var inventory = new InventoryOptions(
            TimeSpan.FromSeconds(10), InventoryThresholds.Default with { MediumPct = 0 }, TakeoverThresholds.Default);
        _monitors[InventoryMonitor.MonitorName] = new InventoryMonitor(Client, new VaultTree(Client, vault, logs.For<VaultTree>()),
            new InventoryHistory(vault, inventory, null, new PastReads(), logs.For<InventoryHistory>()), components, vault, inventory,
            Clock, logs.For<InventoryMonitor>());
        var liquidations = new LiquidationOptions([], TimeSpan.FromSeconds(10), LiquidationThresholds.Default);
        var fills = new LiquidationHistory(null, new PastReads(), logs.For<LiquidationHistory>());
        _monitors[LiquidationMonitor.MonitorName] = new LiquidationMonitor(Client, fills,
            new AccountReader(Client, fills, liquidations, Clock, logs.For<AccountReader>()),
            new AccountFundings(Client, Clock, logs.For<AccountFundings>()),
            new MarketQuotes(Client, liquidations, Clock, logs.For<MarketQuotes>()),
            new VaultPnl(Client, vault, null, new PastReads(), Clock, logs.For<VaultPnl>()), liquidations, vault, components, Clock,
            logs.For<LiquidationMonitor>());
        _monitors[OracleMonitor.MonitorName] = new OracleMonitor(Client,
            new ReferenceReader(Sources(logs), Clock, logs.For<ReferenceReader>()),
            new ReferenceSelection(OracleSample.Options, logs.For<ReferenceSelection>()),
            new OracleHistory(OracleSample.Options, null, new PastReads(), logs.For<OracleHistory>()), OracleSample.Options, Clock);
    }

    private IReferenceSource[] Sources(TestLogs logs)
    {
        var http = new ReferenceHttp(Http());
        return
        [
            new BinanceSource(http), new OkxSource(http), new CoinbaseSource(http, Clock),
            new KrakenSource(http, Clock, logs.For<KrakenSource>()), new PythSource(http),
        ];
    }
}
