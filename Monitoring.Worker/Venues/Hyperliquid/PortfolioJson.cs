using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// Reads <c>[["day",{"accountValueHistory":[[ms,"v"],…],"pnlHistory":[[ms,"v"],…],"vlm":"v"}],…]</c>. The live point at the end of each
/// period must be whole; an earlier one that is not is left out.
/// </summary>
internal sealed class PortfolioConverter : JsonConverter<Portfolio>
{
    public override Portfolio Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var periods = new Dictionary<string, PortfolioSeries>();
        var unreadable = new List<UnreadablePart>();
        using var document = JsonDocument.ParseValue(ref reader);
        foreach (var pair in Items(document.RootElement, "portfolio"))
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || HyperliquidJson.FindText(pair[0]) is not { } period)
                unreadable.Add(new UnreadablePart("portfolio", "a pair of period and series was expected"));
            else if (period is "day" or "week" or "month" or "allTime" // the perp… series have levels of their own and are not mixed in
                && !periods.TryAdd(period, ReadSeries(pair[1], period, unreadable)))
                unreadable.Add(new UnreadablePart(period, "is there twice"));
        }

        PortfolioSeries Get(string period) => periods.GetValueOrDefault(period) ?? throw new JsonException(
            $"portfolio: the period '{period}' is missing{(unreadable.Count > 0 ? $"; {unreadable[0].Error}" : "")}");
        return new Portfolio(Get("day"), Get("week"), Get("month"), Get("allTime")) { Unreadable = unreadable };
    }

    public override void Write(Utf8JsonWriter writer, Portfolio value, JsonSerializerOptions options) =>
        throw new NotSupportedException("the venue's answers are only read");

    private static PortfolioSeries ReadSeries(JsonElement series, string period, List<UnreadablePart> unreadable)
    {
        var values = ReadPoints(series, "accountValueHistory", period, unreadable);
        var pnls = ReadPoints(series, "pnlHistory", period, unreadable);
        if (values.Last != pnls.Last)
            throw new JsonException($"portfolio: the two series of '{period}' differ in time at their live points");

        var points = new List<PortfolioPoint>(values.ByTime.Count);
        foreach (var (at, value) in values.ByTime)
            if (at <= values.Last && pnls.ByTime.TryGetValue(at, out var pnl))
                points.Add(new PortfolioPoint(at, value, pnl));
        var alone = values.ByTime.Count + pnls.ByTime.Count - (2 * points.Count);
        if (alone > 0)
            unreadable.Add(new UnreadablePart(period, $"{alone} points are in one of its two series alone, or behind the live point"));
        return new PortfolioSeries(points);
    }

    private static (SortedDictionary<DateTimeOffset, decimal> ByTime, DateTimeOffset Last) ReadPoints(
        JsonElement series, string name, string period, List<UnreadablePart> unreadable)
    {
        if (series.ValueKind != JsonValueKind.Object || !series.TryGetProperty(name, out var points))
            throw new JsonException($"portfolio: '{period}' has no {name}");
        var (byTime, last) = (new SortedDictionary<DateTimeOffset, decimal>(), (DateTimeOffset?)null);
        JsonException? newest = null;
        foreach (var (index, point) in Items(points, $"portfolio: {name} of '{period}'").Index())
        {
            try
            {
                var (at, value) = ReadPoint(point, name, period);
                (last, newest) = (at, null);
                if (!byTime.TryAdd(at, value) && byTime[at] != value)
                    throw new JsonException("is there twice, with another value");
            }
            catch (JsonException fault)
            {
                newest = fault;
                unreadable.Add(UnreadablePart.At($"{period}.{name}", index, HyperliquidJson.Describe(fault)));
            }
        }

        return (byTime, last is { } live && newest is null ? live : throw newest ?? new JsonException(
            $"portfolio: '{period}' has no point in its {name}"));
    }

    private static (DateTimeOffset At, decimal Value) ReadPoint(JsonElement point, string name, string period) =>
        point.ValueKind == JsonValueKind.Array && point.GetArrayLength() == 2 && HyperliquidJson.FindText(point[1]) is { } text
        && point[0].ValueKind == JsonValueKind.Number && point[0].TryGetInt64(out var ms) && HyperliquidJson.IsTime(ms)
            ? (DateTimeOffset.FromUnixTimeMilliseconds(ms), HyperliquidJson.ParseMoney(text))
            : throw new JsonException($"portfolio: a point of {name} of '{period}' is no pair of milliseconds and decimal string");

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string what) => element.ValueKind == JsonValueKind.Array
        ? element.EnumerateArray()
        : throw new JsonException($"{what}: a list was expected, not {element.ValueKind}");
}
