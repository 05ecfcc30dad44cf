using System.Text.Json;
using System.Text.Json.Serialization;
using Monitoring.Data.Subjects;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// Reads <c>[{"universe":[{"name":…,"isDelisted"?:true},…]},[context,…]]</c>: a context belongs to the market at its own position and has
/// no name inside, so lists of unequal length say nothing of any market.
/// </summary>
internal sealed class MarketsConverter : JsonConverter<Markets>
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

        var (listed, delisted, unreadable) = (new List<(string, AssetContext)>(), new HashSet<string>(), new List<UnreadablePart>());
        foreach (var (index, (market, context)) in universe.EnumerateArray().Zip(root[1].EnumerateArray()).Index())
        {
            var name = HyperliquidJson.FindText(market, "name") is { } raw ? OutsideName.Clean(raw) : null;
            try
            {
                if (name is null)
                    throw new JsonException("a market without a name");
                if (IsDelisted(market))
                    delisted.Add(name);
                else
                    listed.Add((name, ReadContext(context, options)));
            }
            catch (Exception fault) when (HyperliquidJson.IsOfTheText(fault))
            {
                var error = HyperliquidJson.Describe(fault);
                unreadable.Add(name is null ? UnreadablePart.At("universe", index, error) : new UnreadablePart(name, error));
            }
        }

        return Sort(new ReadableList<(string Name, AssetContext)>(listed, unreadable).WithoutTwins(market => market.Name), delisted);
    }

    public override void Write(Utf8JsonWriter writer, Markets value, JsonSerializerOptions options) =>
        throw new NotSupportedException("the venue's answers are only read");

    // A name may be given again: then the old market of that name is delisted, and the new one is not.
    private static Markets Sort(ReadableList<(string Name, AssetContext Context)> markets, HashSet<string> delisted)
    {
        var unreadable = markets.Unreadable.Select(part => part.Name).ToHashSet();
        var byCoin = markets.Where(market => !unreadable.Contains(market.Name))
            .ToDictionary(market => market.Name, market => market.Context);
        delisted.RemoveWhere(name => byCoin.ContainsKey(name) || unreadable.Contains(name));
        return new Markets(byCoin) { Delisted = delisted, Unreadable = markets.Unreadable };
    }

    private static bool IsDelisted(JsonElement market) => market.TryGetProperty("isDelisted", out var delisted)
        && delisted.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new JsonException($"isDelisted is {delisted.ValueKind}"),
        };

    private static AssetContext ReadContext(JsonElement element, JsonSerializerOptions options)
    {
        var context = element.Deserialize<AssetContext>(options) ?? throw new JsonException("the context is null");
        return context.FindFault() is { } fault ? throw new JsonException(fault) : context;
    }
}
