using System.Text;
using System.Text.Json.Nodes;

namespace Monitoring.Tests.Venues.Mutations;

/// <summary>
/// One change of one answer: a value replaced, or an element or member taken out, doubled or made null. <paramref name="Path"/> says where;
/// of one <paramref name="IsOfTheList"/> the length of its list has changed.
/// </summary>
internal sealed record JsonMutation(string Path, string What, bool IsOfTheList, string Text)
{
    // Stands for half a character, which a writer of JSON would not write.
    private const string Half = "\uE000";

    private static readonly Func<JsonNode?>[] Values =
    [
        () => null, () => true, () => 0, () => -1, () => 1e300, () => "", () => "NaN", () => "0", () => "0.0", () => "-1", () => "1e400",
        () => "79228162514264337593543950335", () => "99999999999999", () => "0.0000000000001", () => new string('9', 10_000),
        () => "BT\0C", () => "\u202Excb", () => $"BTC{Half}", () => "x\ny", () => new string('ü', 65), () => "'; DROP TABLE x; --",
        () => new JsonArray(), () => new JsonObject(), () => JsonNode.Parse("[[null]]"), () => new JsonObject { ["BT\0C"] = "1" },
    ];

    /// <summary>The same seed makes the same change.</summary>
    public static JsonMutation Of(string good, Random random)
    {
        var root = JsonNode.Parse(good)!;
        var node = Walk(root, random);
        var path = node.GetPath();
        var (what, isOfTheList) = node.Parent is JsonArray list
            ? ChangeItem(list, node, random) : ChangeMember((JsonObject)node.Parent!, node, random);
        return new JsonMutation(path, what, isOfTheList, root.ToJsonString().Replace(
            "\\uE000", "\\ud800", StringComparison.Ordinal));
    }

    /// <summary>The bytes of it; at times with one that no text has.</summary>
    public byte[] Bytes(Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(Text);
        if (random.Next(2) == 0 && bytes.AsSpan().IndexOf("DROP"u8) is >= 0 and var at)
            bytes[at] = 0xFF;
        return bytes;
    }

    /// <summary>The index after a beginning of the path, as 3 in <c>$[1][3].oraclePx</c> after <c>$[1]</c>; null elsewhere.</summary>
    public int? IndexAfter(string beginning) =>
        Path.StartsWith(beginning + "[", StringComparison.Ordinal)
            ? int.Parse(Path.AsSpan(beginning.Length + 1)[..Path.AsSpan(beginning.Length + 1).IndexOf(']')])
            : null;

    // As likely to end at each depth, so that long lists do not take all the changes.
    private static JsonNode Walk(JsonNode root, Random random)
    {
        var node = Child(root, random) ?? throw new InvalidOperationException("an answer with nothing in it");
        while (random.Next(4) > 0 && Child(node, random) is { } child)
            node = child;
        return node;
    }

    private static JsonNode? Child(JsonNode node, Random random)
    {
        var children = node switch
        {
            JsonArray list => list.OfType<JsonNode>().ToList(),
            JsonObject map => [.. map.Select(member => member.Value).OfType<JsonNode>()],
            _ => [],
        };
        return children.Count == 0 ? null : children[random.Next(children.Count)];
    }

    private static (string, bool) ChangeItem(JsonArray list, JsonNode node, Random random)
    {
        var index = list.IndexOf(node);
        switch (random.Next(5))
        {
            case 0:
                list.RemoveAt(index);
                return ("removed", true);
            case 1:
                list.Insert(index, node.DeepClone());
                return ("doubled", true);
            default:
                list[index] = Value(random, out var what);
                return (what, false);
        }
    }

    private static (string, bool) ChangeMember(JsonObject map, JsonNode node, Random random)
    {
        var name = node.GetPropertyName();
        if (random.Next(5) == 0)
        {
            map.Remove(name);
            return ("removed", false);
        }

        map[name] = Value(random, out var what);
        return (what, false);
    }

    private static JsonNode? Value(Random random, out string what)
    {
        var value = Values[random.Next(Values.Length)]();
        var text = value?.ToJsonString() ?? "null";
        what = text.Length > 40 ? text[..40] : text;
        return value;
    }
}
