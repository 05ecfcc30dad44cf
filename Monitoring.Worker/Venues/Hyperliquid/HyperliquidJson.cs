using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// Reads the venue's JSON strictly: money is a decimal string, what we decide by must be there, unknown fields are let pass.
/// </summary>
internal static class HyperliquidJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new DecimalStringConverter(), new PortfolioConverter(), new MarketsConverter() },
    };

    private static decimal ParseMoney(string? text) =>
        decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new JsonException($"'{text}' is no decimal number");

    private sealed class DecimalStringConverter : JsonConverter<decimal>
    {
        public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String
                ? ParseMoney(reader.GetString())
                : throw new JsonException($"a decimal string was expected, not {reader.TokenType}");

        public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }

    // [["day",{"accountValueHistory":[[ms,"v"],…],"pnlHistory":[[ms,"v"],…],"vlm":"v"}],…]
    private sealed class PortfolioConverter : JsonConverter<Portfolio>
    {
        public override Portfolio Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var periods = new Dictionary<string, PortfolioSeries>();
            using var document = JsonDocument.ParseValue(ref reader);
            foreach (var pair in Items(document.RootElement, "portfolio"))
            {
                if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || pair[0].ValueKind != JsonValueKind.String)
                    throw new JsonException("portfolio: a pair of period and series was expected");
                var period = pair[0].GetString()!;
                if (period is "day" or "week" or "month" or "allTime") // the perp… series have levels of their own and are not mixed in
                    periods[period] = ReadSeries(pair[1], period);
            }

            PortfolioSeries Get(string period) =>
                periods.GetValueOrDefault(period) ?? throw new JsonException($"portfolio: the period '{period}' is missing");
            return new Portfolio(Get("day"), Get("week"), Get("month"), Get("allTime"));
        }

        public override void Write(Utf8JsonWriter writer, Portfolio value, JsonSerializerOptions options) =>
            throw new NotSupportedException("the venue's answers are only read");

        private static PortfolioSeries ReadSeries(JsonElement series, string period)
        {
            var values = ReadPoints(series, "accountValueHistory", period);
            var pnls = ReadPoints(series, "pnlHistory", period);
            if (values.Count == 0 || values.Count != pnls.Count)
                throw new JsonException($"portfolio: '{period}' has {values.Count} account values and {pnls.Count} PnL values");

            var points = new List<PortfolioPoint>(values.Count);
            for (var i = 0; i < values.Count; i++)
            {
                if (values[i].At != pnls[i].At)
                    throw new JsonException($"portfolio: the two series of '{period}' differ in time at point {i}");
                if (i > 0 && values[i].At < values[i - 1].At)
                    throw new JsonException($"portfolio: '{period}' goes back in time at point {i}");
                points.Add(new PortfolioPoint(values[i].At, values[i].Value, pnls[i].Value));
            }

            return new PortfolioSeries(points);
        }

        private static List<(DateTimeOffset At, decimal Value)> ReadPoints(JsonElement series, string name, string period)
        {
            if (series.ValueKind != JsonValueKind.Object || !series.TryGetProperty(name, out var points))
                throw new JsonException($"portfolio: '{period}' has no {name}");
            return [.. Items(points, $"portfolio: {name} of '{period}'").Select(point =>
                point.ValueKind == JsonValueKind.Array && point.GetArrayLength() == 2 && point[1].ValueKind == JsonValueKind.String
                && point[0].ValueKind == JsonValueKind.Number && point[0].TryGetInt64(out var ms) && ms is > 0 and < 253_402_300_800_000
                    ? (DateTimeOffset.FromUnixTimeMilliseconds(ms), ParseMoney(point[1].GetString()))
                    : throw new JsonException(
                        $"portfolio: a point of {name} of '{period}' is no pair of milliseconds and decimal string"))];
        }

        private static JsonElement.ArrayEnumerator Items(JsonElement element, string what) => element.ValueKind == JsonValueKind.Array
            ? element.EnumerateArray()
            : throw new JsonException($"{what}: a list was expected, not {element.ValueKind}");
    }

    // [{"universe":[{"name":…,"isDelisted"?:true},…]},[context,…]]: a context belongs to the market at its own
    // position and has no name inside.
    private sealed class MarketsConverter : JsonConverter<Markets>
    {
        public override Markets Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Array || root.GetArrayLength() != 2 || root[0].ValueKind != JsonValueKind.Object
                || !root[0].TryGetProperty("universe", out var universe) || universe.ValueKind != JsonValueKind.Array
                || root[1].ValueKind != JsonValueKind.Array)
                throw new JsonException("markets: a pair of meta and contexts was expected");
            if (universe.GetArrayLength() != root[1].GetArrayLength())
                throw new JsonException($"markets: {universe.GetArrayLength()} names and {root[1].GetArrayLength()} contexts");

            var markets = new Dictionary<string, AssetContext>();
            foreach (var (market, context) in universe.EnumerateArray().Zip(root[1].EnumerateArray()))
            {
                if (market.ValueKind != JsonValueKind.Object || !market.TryGetProperty("name", out var name)
                    || name.ValueKind != JsonValueKind.String)
                    throw new JsonException("markets: a market without a name");
                if (market.TryGetProperty("isDelisted", out var delisted) && delisted.ValueKind == JsonValueKind.True)
                    continue;
                if (!markets.TryAdd(name.GetString()!,
                    context.Deserialize<AssetContext>(options) ?? throw new JsonException($"markets: {name} has no context")))
                    throw new JsonException($"markets: {name} is there twice");
            }

            return new Markets(markets);
        }

        public override void Write(Utf8JsonWriter writer, Markets value, JsonSerializerOptions options) =>
            throw new NotSupportedException("the venue's answers are only read");
    }
}
