using System.Text.Json;
using Monitoring.Api.Http;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>One fill of a liquidation; fills of one user, coin and hash are one liquidation. <c>timestamp</c> is the venue's time, <c>coverage</c> what its source can see.</summary>
public sealed record LiquidationView(
    DateTimeOffset Timestamp, string Coin, long Tid, string LiquidatedUser, LiquidationMethod Method, LiquidationSide Side, decimal Price, decimal Size,
    decimal NotionalUsd, string? Counterparty, string? Hash, string SourceAddress, LiquidationCoverage Coverage)
{
    internal static LiquidationView Of(LiquidationFill row) => new(
        row.ObservedAt, row.Coin, row.Tid, row.LiquidatedUser, row.Method, row.Side, row.Price, row.Size, row.NotionalUsd, row.Counterparty, row.Hash,
        row.SourceAddress, row.Coverage);
}

/// <summary>A page of liquidations.</summary>
public sealed record LiquidationPage(IReadOnlyList<LiquidationView> Liquidations, string? Next) : Page<LiquidationView>(Liquidations, Next);

/// <summary>Liquidations that belong together. The subject is a coin, or the account of a coordinated pattern; the score is 0–100, the price impact in percent.</summary>
public sealed record LiquidationPatternView(
    string Id, LiquidationPatternType PatternType, string Subject, DateTimeOffset StartTime, DateTimeOffset EndTime, decimal DurationSeconds, decimal TotalLiquidatedUsd,
    int AffectedUsers, IReadOnlyList<string> AssetsInvolved, decimal SuspicionScore, int LiquidationCount, decimal PriceImpact, JsonElement Indicators)
{
    internal static LiquidationPatternView Of(LiquidationPattern row) => new(
        row.PatternId, row.PatternType, row.Subject, row.StartTime, row.EndTime, row.DurationSeconds, row.TotalLiquidatedUsd, row.AffectedUsers, row.AssetsInvolved,
        row.SuspicionScore, row.LiquidationCount, row.PriceImpact, JsonSerializer.Deserialize<JsonElement>(row.Indicators));
}

/// <summary>A page of patterns.</summary>
public sealed record LiquidationPatternPage(IReadOnlyList<LiquidationPatternView> Patterns, string? Next) : Page<LiquidationPatternView>(Patterns, Next);

/// <summary>The routes of liquidations.</summary>
internal static class LiquidationEndpoints
{
    private static readonly WholeParameter Limit = new("limit", 1, 500, 100, "How many fills at most.");
    private static readonly WholeParameter PatternLimit = new("limit", 1, 200, 50, "How many patterns at most.");
    private static readonly WholeParameter Hours = new("hours", 1, 168, 24, "Only the last so many hours.");
    private static readonly CoinParameter Coin = new("coin", "Only this coin, as the venue spells it.");
    private static readonly ChoiceParameter<LiquidationMethod> Method = new("method", "Only liquidations of this method.");
    private static readonly ChoiceParameter<LiquidationPatternType> PatternType = new("pattern_type", "Only patterns of this type.");
    private static readonly CursorParameter<LiquidationCursor> Before = new(ParseCursor);
    private static readonly CursorParameter<LiquidationPatternCursor> PatternBefore = new(ParsePatternCursor);

    public static void MapLiquidations(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security").WithTags("Liquidations");
        PageResult<LiquidationPage, LiquidationView>.Describe(
            group.MapGet("/liquidations", ListLiquidations).WithName(nameof(ListLiquidations)).WithParameters(Coin, Method, Hours, Limit, Before));
        PageResult<LiquidationPatternPage, LiquidationPatternView>.Describe(
            group.MapGet("/liquidation-patterns", ListLiquidationPatterns).WithName(nameof(ListLiquidationPatterns)).WithParameters(PatternType, PatternLimit, PatternBefore));
    }

    /// <summary>Fills of liquidations, newest first, each with what its source can see.</summary>
    internal static async Task<IResult> ListLiquidations(HttpRequest request, Liquidations liquidations, TimeProvider clock, CancellationToken cancellationToken)
    {
        var limit = Limit.Read(request);
        var rows = await liquidations.ListAsync(clock.GetUtcNow().AddHours(-Hours.Read(request)), Coin.Find(request), Method.Find(request), Before.Find(request), limit, cancellationToken);
        return new PageResult<LiquidationPage, LiquidationView>(new LiquidationPage([.. rows.Select(LiquidationView.Of)],
            rows.Count == limit ? Cursor.Encode(rows[^1].ObservedAt, rows[^1].Coin, rows[^1].Tid, rows[^1].LiquidatedUser) : null));
    }

    /// <summary>Patterns of liquidations, those that began last first.</summary>
    internal static async Task<IResult> ListLiquidationPatterns(HttpRequest request, LiquidationPatterns patterns, CancellationToken cancellationToken)
    {
        var limit = PatternLimit.Read(request);
        var rows = await patterns.ListAsync(PatternType.Find(request), PatternBefore.Find(request), limit, cancellationToken);
        return new PageResult<LiquidationPatternPage, LiquidationPatternView>(new LiquidationPatternPage([.. rows.Select(LiquidationPatternView.Of)],
            rows.Count == limit ? Cursor.Encode(rows[^1].StartTime, rows[^1].PatternId) : null));
    }

    private static LiquidationCursor? ParseCursor(string[] parts) =>
        parts.Length == 4 && Cursor.ParseTime(parts[0]) is { } at && long.TryParse(parts[2], out var tid) && !parts[1].Contains('\0') && !parts[3].Contains('\0')
            ? new LiquidationCursor(at, parts[1], tid, parts[3])
            : null;

    private static LiquidationPatternCursor? ParsePatternCursor(string[] parts) =>
        parts.Length == 2 && Cursor.ParseTime(parts[0]) is { } at && parts[1].Length == 32 && parts[1].All(char.IsAsciiHexDigitLower)
            ? new LiquidationPatternCursor(at, parts[1])
            : null;
}
