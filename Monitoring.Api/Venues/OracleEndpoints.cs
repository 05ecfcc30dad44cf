using Monitoring.Api.Http;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>
/// An asset's oracle price against its references at one check; all prices are in the quote of the oracle.
/// <c>reference_price</c> is null where a price of 0 or below was judged without any reference, and <c>max_deviation_source</c> is
/// <c>none</c> then. <c>severity</c> is null where no rule fires, <c>risk_score</c> (0–100) where there were too few references to judge.
/// <c>left_out</c> names the references that were not used, and why.
/// </summary>
public record OracleDeviationView(
    DateTimeOffset Timestamp, string Asset, decimal HyperliquidPrice, decimal MarkPrice,
    decimal? BinancePrice, decimal? CoinbasePrice, decimal? PythPrice, decimal? KrakenPrice, decimal? OkxPrice,
    decimal? ReferencePrice, int References, int LeftOutCount, IReadOnlyList<string> LeftOut, decimal MaxDeviationPct,
    string MaxDeviationSource, int DurationSeconds, decimal? FloorPct, bool IsDangerous, Severity? Severity, decimal? RiskScore)
{
    internal static OracleDeviationView Of(OracleDeviation row) => new(
        row.ObservedAt, row.Asset, row.HyperliquidPrice, row.MarkPrice, row.BinancePrice, row.CoinbasePrice, row.PythPrice, row.KrakenPrice,
        row.OkxPrice, row.ReferencePrice, row.ReferenceCount, row.LeftOut.Length, row.LeftOut, row.MaxDeviationPct, row.MaxDeviationSource,
        row.DurationSeconds, row.FloorPct, row.IsDangerous, row.Severity, row.RiskScore);
}

/// <summary>A page of deviations.</summary>
public sealed record OracleDeviationPage(
    IReadOnlyList<OracleDeviationView> Deviations, string? Next) : Page<OracleDeviationView>(Deviations, Next);

/// <summary>
/// The deviations now. <c>timestamp</c> is of the newest check that is stored, null where none is, and
/// <c>age_seconds</c> its age: an empty list says that all is calm only while that is recent.
/// </summary>
public sealed record OracleNowPage(
    DateTimeOffset? Timestamp, double? AgeSeconds, IReadOnlyList<OracleDeviationView> Deviations,
    string? Next) : Page<OracleDeviationView>(Deviations, Next);

/// <summary>The routes of the oracle's deviations.</summary>
internal static class OracleEndpoints
{
    private static readonly FlagParameter ActiveOnly = new("active_only", true, "Only assets that a rule fires for.");
    private static readonly AssetParameter Asset = new("asset", "Only this asset.");
    private static readonly DecimalParameter MinDeviation = new(
        "min_deviation_pct", 0, 100, 0.3m, "Only deviations of at least so many percent.");

    private static readonly ListOf<OracleDeviationPage, OracleDeviation, OracleDeviationView, Position> History = new(
        new WholeParameter("limit", 1, 500, 100, "How many deviations at most."), row => new Position(row.ObservedAt, row.Asset),
        OracleDeviationView.Of, (rows, next) => new OracleDeviationPage(rows, next), WindowParameters.OfHours(168, 24))
    {
        Json = new("deviations", reader => new Position(reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(0)),
            ("timestamp", JsonColumn.Time, 1), ("asset", JsonColumn.Text, 0), ("hyperliquid_price", JsonColumn.Decimal, 2),
            ("mark_price", JsonColumn.Decimal, 3), ("binance_price", JsonColumn.DecimalOrNull, 4),
                ("coinbase_price", JsonColumn.DecimalOrNull, 5),
            ("pyth_price", JsonColumn.DecimalOrNull, 6), ("kraken_price", JsonColumn.DecimalOrNull, 7),
                ("okx_price", JsonColumn.DecimalOrNull, 8),
            ("reference_price", JsonColumn.DecimalOrNull, 9), ("references", JsonColumn.Whole, 10),
            ("left_out_count", JsonColumn.TextCount, 11),
            ("left_out", JsonColumn.Texts, 11), ("max_deviation_pct", JsonColumn.Decimal, 12),
                ("max_deviation_source", JsonColumn.Text, 13),
            ("duration_seconds", JsonColumn.Whole, 15), ("floor_pct", JsonColumn.DecimalOrNull, 16), ("is_dangerous", JsonColumn.Flag, 17),
            ("severity", JsonColumn.TextOrNull, 18), ("risk_score", JsonColumn.DecimalOrNull, 19)),
    };

    private sealed record Position(DateTimeOffset At, string Asset);

    public static void MapOracleDeviations(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security/oracle-deviations").WithTags("Oracle");
        PageResult<OracleNowPage, OracleDeviationView>.Describe(
            group.MapGet("/", ListOracleDeviations).WithName(nameof(ListOracleDeviations)).WithParameters(ActiveOnly));
        History.Describe(
            group.MapGet("/history", ListOracleDeviationHistory).WithName(nameof(ListOracleDeviationHistory)), Asset, MinDeviation);
    }

    /// <summary>How far each oracle price is off now, the worst first, and how old that is.</summary>
    internal static async Task<IResult> ListOracleDeviations(
        HttpRequest request, OracleReader oracle, CancellationToken cancellationToken) =>
        new PageResult<OracleNowPage, OracleDeviationView>(await oracle.ListNowAsync(ActiveOnly.Read(request), cancellationToken));

    /// <summary>How far oracle prices were off, newest first.</summary>
    internal static IResult ListOracleDeviationHistory(HttpRequest request, OracleDeviations deviations) => History.Answer(
        (window, after, limit, cancellationToken) =>
        {
            var (min, end) = (MinDeviation.Read(request), window.EndBefore(after?.At));
            return Asset.Find(request) is { } asset
                ? deviations.ListOfAssetAsync(asset, window.Since, end, min, limit, cancellationToken)
                : deviations.ListAsync(window.Since, end, after?.Asset ?? "", min, limit, cancellationToken);
        },
        (window, after, limit, row, cancellationToken) =>
        {
            var (min, end) = (MinDeviation.Read(request), window.EndBefore(after?.At));
            return Asset.Find(request) is { } asset
                ? deviations.ReadOfAssetAsync(asset, window.Since, end, min, limit, row, cancellationToken)
                : deviations.ReadAsync(window.Since, end, after?.Asset ?? "", min, limit, row, cancellationToken);
        });
}
