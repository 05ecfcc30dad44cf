using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Monitoring.Api.Http;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>A vault as one check saw it. Money in USD, drawdowns in percent, scores 0–100.</summary>
public record HlpVaultSnapshotView(
    DateTimeOffset Timestamp, DateTimeOffset VenueTime, string VaultAddress, decimal AccountValue, decimal TotalValueLocked,
    [property: JsonPropertyName("pnl_1h")] decimal? Pnl1h,
    [property: JsonPropertyName("pnl_24h")] decimal? Pnl24h,
    [property: JsonPropertyName("pnl_7d")] decimal? Pnl7d,
    [property: JsonPropertyName("pnl_30d")] decimal? Pnl30d,
    decimal AllTimePnl, decimal? SharpeRatio, decimal DrawdownPct, decimal MaxDrawdown, decimal? ZScore,
    decimal LossScore, decimal DrawdownScore, decimal VolatilityScore, decimal AnomalyScore, bool IsHealthy,
    IReadOnlyList<string> HealthIssues)
{
    internal static HlpVaultSnapshotView Of(HlpVaultSnapshot row) => new(
        row.ObservedAt, row.VenueAt, row.VaultAddress, row.AccountValue, row.TotalValueLocked, row.Pnl1h, row.Pnl24h,
        row.Pnl7d, row.Pnl30d, row.AllTimePnl, row.SharpeRatio, row.DrawdownPct, row.MaxDrawdownPct, row.ZScore,
        row.LossScore, row.DrawdownScore, row.VolatilityScore, row.AnomalyScore, row.IsHealthy, row.HealthIssues);
}

/// <summary>A component vault's account: value, notional and unrealised PnL in USD, and the number of open positions.</summary>
public sealed record HlpVaultComponentView(
    string VaultAddress, decimal AccountValue, decimal TotalNotionalUsd, decimal UnrealizedPnl, int Positions)
{
    internal static HlpVaultComponentView Of(HlpVaultComponent row) =>
        new(row.ComponentAddress, row.AccountValue, row.TotalNotionalUsd, row.UnrealizedPnl, row.Positions);
}

/// <summary>The newest snapshot, how old it is, and the component vaults that the same check could read.</summary>
public sealed record HlpVaultNow : HlpVaultSnapshotView
{
    internal HlpVaultNow(HlpVaultSnapshotView snapshot) : base(snapshot)
    {
    }

    /// <summary>Seconds since the check's scheduled time.</summary>
    public required double AgeSeconds { get; init; }

    /// <summary>By address; a component that could not be read is a health issue instead.</summary>
    public required IReadOnlyList<HlpVaultComponentView> Components { get; init; }
}

/// <summary>Answer of <c>/security/hlp-vault</c>.</summary>
public sealed record HlpVaultAnswer(bool Success, HlpVaultNow Snapshot);

/// <summary>A page of snapshots.</summary>
public sealed record HlpVaultHistoryPage(
    IReadOnlyList<HlpVaultSnapshotView> Snapshots, string? Next) : Page<HlpVaultSnapshotView>(Snapshots, Next);

/// <summary>Snapshots of a window, added up. <c>health_rate</c> is the healthy share from 0 to 1; <c>gaps</c> are grid times without a
/// successful check, as far back as the ledger of checks is kept and without the check that may still be at work.</summary>
public sealed record HlpVaultStatisticsAnswer(
    bool Success, int Days, long TotalSnapshots, decimal? AvgAccountValue, decimal? MinAccountValue, decimal? MaxAccountValue,
    decimal? AvgAnomalyScore, decimal? MaxAnomalyScore, long UnhealthySnapshots, decimal? HealthRate, long Gaps);

/// <summary>The routes of the HLP vault.</summary>
internal static class HlpVaultEndpoints
{
    private static readonly WholeParameter Days = new("days", 1, 365, 30, "The last so many days.");
    private static readonly ListOf<HlpVaultHistoryPage, HlpVaultSnapshot, HlpVaultSnapshotView, Position> History = new(
        new WholeParameter("limit", 1, 500, 100, "How many snapshots at most."), row => new Position(row.VaultAddress, row.ObservedAt),
        HlpVaultSnapshotView.Of, (rows, next) => new HlpVaultHistoryPage(rows, next), WindowParameters.OfHours(8760, null))
    {
        Json = new("snapshots", reader => new Position(reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1)),
            ("timestamp", JsonColumn.Time, 1), ("venue_time", JsonColumn.Time, 2), ("vault_address", JsonColumn.Text, 0),
            ("account_value", JsonColumn.Decimal, 3), ("total_value_locked", JsonColumn.Decimal, 4),
                ("pnl_1h", JsonColumn.DecimalOrNull, 5),
            ("pnl_24h", JsonColumn.DecimalOrNull, 6), ("pnl_7d", JsonColumn.DecimalOrNull, 7), ("pnl_30d", JsonColumn.DecimalOrNull, 8),
                ("all_time_pnl", JsonColumn.Decimal, 9),
            ("sharpe_ratio", JsonColumn.DecimalOrNull, 10), ("drawdown_pct", JsonColumn.Decimal, 11),
                ("max_drawdown", JsonColumn.Decimal, 12),
            ("z_score", JsonColumn.DecimalOrNull, 13), ("loss_score", JsonColumn.Decimal, 14), ("drawdown_score", JsonColumn.Decimal, 15),
            ("volatility_score", JsonColumn.Decimal, 16), ("anomaly_score", JsonColumn.Decimal, 17), ("is_healthy", JsonColumn.Flag, 18),
            ("health_issues", JsonColumn.Texts, 19)),
    };

    private sealed record Position(string Vault, DateTimeOffset At);

    public static void MapHlpVault(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security/hlp-vault").WithTags("HLP vault");
        group.MapGet("/", GetHlpVault).WithName(nameof(GetHlpVault)).WithParameters().ProducesProblem(404);
        History.Describe(group.MapGet("/history", ListHlpVaultHistory).WithName(nameof(ListHlpVaultHistory)));
        group.MapGet("/statistics", GetHlpVaultStatistics).WithName(nameof(GetHlpVaultStatistics)).WithParameters(Days);
    }

    /// <summary>The vault's newest snapshot, its age and its component vaults.</summary>
    internal static async Task<Results<Ok<HlpVaultAnswer>, ProblemHttpResult>> GetHlpVault(
        HlpVaultReader vault, CancellationToken cancellationToken) =>
        await vault.FindNowAsync(cancellationToken) is { } now
            ? TypedResults.Ok(new HlpVaultAnswer(true, now))
            : TypedResults.Problem("No check of the vault has been stored yet.", statusCode: StatusCodes.Status404NotFound);

    /// <summary>The vault's snapshots, newest first.</summary>
    internal static IResult ListHlpVaultHistory(HlpVaultSnapshots snapshots) => History.Answer(
        (window, after, limit, cancellationToken) =>
            snapshots.ListAsync(after?.Vault, window.Since, window.EndBefore(after?.At), limit, cancellationToken),
        (window, after, limit, row, cancellationToken) =>
            snapshots.ReadAsync(after?.Vault, window.Since, window.EndBefore(after?.At), limit, row, cancellationToken));

    /// <summary>The vault's last days, added up.</summary>
    internal static async Task<Ok<HlpVaultStatisticsAnswer>> GetHlpVaultStatistics(
        HttpRequest request, HlpVaultReader vault, CancellationToken cancellationToken) =>
        TypedResults.Ok(await vault.SummariseAsync(Days.Read(request), cancellationToken));
}
