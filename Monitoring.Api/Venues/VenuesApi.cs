using System.Text.Json.Nodes;
using Monitoring.Api.Dashboard;
using Monitoring.Api.Security;
using Monitoring.Api.Subjects;

namespace Monitoring.Api.Venues;

/// <summary>What the trading venue gives to the read service: its vault, its oracle, its liquidations.</summary>
internal sealed class VenuesApi : ISubjectApi
{
    private const string Vault = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303";

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services)
    {
        services.AddSingleton<HlpVaultReader>().AddSingleton<OracleReader>();
        services.AddSingleton<IDashboardPart, HlpVaultDashboard>().AddSingleton<IDashboardPart, OracleDashboard>()
            .AddSingleton<IDashboardPart, LiquidationDashboard>();
        services.AddSingleton<IEvidenceSource, OracleEvidence>().AddSingleton<IEvidenceSource, LiquidationEvidence>()
            .AddSingleton<IEvidenceSource, HlpVaultEvidence>();
    }

    /// <inheritdoc/>
    public void MapRoutes(IEndpointRouteBuilder routes)
    {
        routes.MapHlpVault();
        routes.MapHlpVaultInventory();
        routes.MapHlpVaultHoldings();
        routes.MapOracleDeviations();
        routes.MapLiquidations();
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Func<JsonNode>> Examples { get; } = new Dictionary<string, Func<JsonNode>>
    {
        ["vault_address"] = () => Vault,
        ["parent_address"] = () => Vault,
        ["liquidated_user"] = () => "0x4f1c8a2be0d5a3b97c66b1e2d3f4a5b6c7d8e9f0",
        ["source_address"] = () => "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
        ["account_value"] = () => 373942112.5m,
        ["anomaly_score"] = () => 12.4m,
        ["share_pct"] = () => 4.2m,
        ["asset"] = () => "BTC",
        ["coin"] = () => "BTC",
        ["hyperliquid_price"] = () => 96412.5m,
        ["reference_price"] = () => 96380.1m,
        ["max_deviation_pct"] = () => 0.61m,
        ["max_deviation_source"] = () => "kraken",
        ["min_deviation_pct"] = () => 0.5m,
        ["monitor"] = () => HlpVaultReader.Monitor,
        ["name"] = () => HlpVaultReader.Monitor,
        ["rule_id"] = () => "hlp.loss",
        ["threat_type"] = () => "hlp_exploitation",
        ["subject"] = () => Vault,
        ["title"] = () => "HLP vault lost 3,000,000 USD within an hour",
        ["description"] = () => "PnL over 1 h is -3,000,000 USD, -0.8 % of capital.",
        ["indicators"] = () => new JsonObject { ["pnl_1h_usd"] = -3000000 },
        ["measure"] = () => "pnl_usd",
        ["unit"] = () => "USD",
        ["current_value"] = () => -2750000,
        ["worst_value"] = () => -3000000,
        ["threshold_value"] = () => -2000000,
        ["thresholds"] = () => new JsonObject { ["critical_usd"] = -2000000 },
        ["values"] = () => new JsonObject { ["pnl_1h_usd"] = -3000000 },
        ["row"] = () => new JsonObject { ["timestamp"] = "2026-11-21T09:00:00Z", ["pnl_1h"] = -3000000 },
        ["arithmetic"] = () => new JsonArray("pnl_1h_usd -3000000 reaches critical_usd -2000000"),
        ["table"] = () => "hlp_vault_snapshots",
    };
}
