using System.Text.Json;
using Monitoring.Api.Http;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>
/// One fill of a liquidation; fills of one user, coin and hash are one liquidation. <c>timestamp</c> is the venue's
/// time, <c>coverage</c> what its source can see.
/// </summary>
public sealed record LiquidationView(
    DateTimeOffset Timestamp, string Coin, long Tid, string LiquidatedUser, LiquidationMethod Method, LiquidationSide Side, decimal Price,
    decimal Size, decimal NotionalUsd, string? Counterparty, string? Hash, string SourceAddress, LiquidationCoverage Coverage)
{
    internal static LiquidationView Of(LiquidationFill row) => new(
        row.ObservedAt, row.Coin, row.Tid, row.LiquidatedUser, row.Method, row.Side, row.Price, row.Size,
        row.NotionalUsd, row.Counterparty, row.Hash, row.SourceAddress, row.Coverage);
}

/// <summary>A page of liquidations.</summary>
public sealed record LiquidationPage(IReadOnlyList<LiquidationView> Liquidations, string? Next) : Page<LiquidationView>(Liquidations, Next);

/// <summary>
/// Liquidations that belong together. The subject is a coin, or the account of a coordinated pattern; the score is
/// 0–100, the price impact in percent.
/// </summary>
public sealed record LiquidationPatternView(
    string Id, LiquidationPatternType PatternType, string Subject, DateTimeOffset StartTime, DateTimeOffset EndTime,
    decimal DurationSeconds, decimal TotalLiquidatedUsd, int AffectedUsers, IReadOnlyList<string> AssetsInvolved,
    decimal SuspicionScore, int LiquidationCount, decimal PriceImpact, JsonElement Indicators)
{
    internal static LiquidationPatternView Of(LiquidationPattern row) => new(
        row.PatternId, row.PatternType, row.Subject, row.StartTime, row.EndTime, row.DurationSeconds,
        row.TotalLiquidatedUsd, row.AffectedUsers, row.AssetsInvolved, row.SuspicionScore, row.LiquidationCount,
        row.PriceImpact, JsonSerializer.Deserialize<JsonElement>(row.Indicators));
}

/// <summary>A page of patterns.</summary>
public sealed record LiquidationPatternPage(
    IReadOnlyList<LiquidationPatternView> Patterns, string? Next) : Page<LiquidationPatternView>(Patterns, Next);

/// <summary>The routes of liquidations.</summary>
internal static class LiquidationEndpoints
{
    private static readonly CoinParameter Coin = new("coin", "Only this coin, as the venue spells it.");
    private static readonly ChoiceParameter<LiquidationMethod> Method = new("method", "Only liquidations of this method.");
    private static readonly ChoiceParameter<LiquidationPatternType> PatternType = new("pattern_type", "Only patterns of this type.");

    private static readonly ListOf<LiquidationPage, LiquidationFill, LiquidationView, LiquidationCursor> Fills = new(
        new WholeParameter("limit", 1, 500, 100, "How many fills at most."),
        row => new LiquidationCursor(row.ObservedAt, row.Coin, row.Tid, row.LiquidatedUser),
        LiquidationView.Of, (rows, next) => new LiquidationPage(rows, next), WindowParameters.OfHours(168, 24));

    private static readonly ListOf<LiquidationPatternPage, LiquidationPattern, LiquidationPatternView, LiquidationPatternCursor> Patterns =
        new(new WholeParameter("limit", 1, 200, 50, "How many patterns at most."),
            row => new LiquidationPatternCursor(row.StartTime, row.PatternId),
            LiquidationPatternView.Of, (rows, next) => new LiquidationPatternPage(rows, next), new WindowParameters(hours: null));

    public static void MapLiquidations(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security").WithTags("Liquidations");
        Fills.Describe(group.MapGet("/liquidations", ListLiquidations).WithName(nameof(ListLiquidations)), Coin, Method);
        Patterns.Describe(
            group.MapGet("/liquidation-patterns", ListLiquidationPatterns).WithName(nameof(ListLiquidationPatterns)), PatternType);
    }

    /// <summary>Fills of liquidations, newest first, each with what its source can see.</summary>
    internal static IResult ListLiquidations(HttpRequest request, Liquidations liquidations) =>
        Fills.Answer((window, after, limit, cancellationToken) =>
            liquidations.ListAsync(window.Since, window.End, Coin.Find(request), Method.Find(request), after, limit, cancellationToken));

    /// <summary>Patterns of liquidations, those that began last first.</summary>
    internal static IResult ListLiquidationPatterns(HttpRequest request, LiquidationPatterns patterns) =>
        Patterns.Answer((window, after, limit, cancellationToken) =>
            patterns.ListAsync(window.Since, window.End, PatternType.Find(request), after, limit, cancellationToken));
}
