using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;
using Monitoring.Data.Subjects;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>A part of an answer that cannot be used: what it is called, as far as it says so, and why.</summary>
internal sealed record UnreadablePart(string Name, string Error)
{
    /// <summary>Whether it does not say what it is: the name is its place, and it may be any of its list.</summary>
    public bool IsNameless { get; init; }

    /// <summary>A part without a name of its own: its place stands for it.</summary>
    public static UnreadablePart At(string list, int index, string error) => new($"{list}[{index}]", error) { IsNameless = true };

    /// <summary>All of them as one line; null of none.</summary>
    public static string? Describe(IReadOnlyCollection<UnreadablePart> parts) => parts.Count == 0 ? null
        : string.Join("; ", parts.Take(3).Select(part => $"{part.Name}: {part.Error}"))
            + (parts.Count > 3 ? $"; {parts.Count - 3} more" : "");
}

/// <summary>An answer of which parts may be unusable while the others speak for themselves.</summary>
internal interface IPartlyReadable
{
    /// <summary>What was left out.</summary>
    IReadOnlyList<UnreadablePart> Unreadable { get; }

    /// <summary>Whether there was something and none of it can be used: then it is no answer.</summary>
    bool IsAllUnreadable { get; }
}

/// <summary>The elements of a list that could be read, in order, and those that could not.</summary>
internal sealed class ReadableList<T>(IReadOnlyList<T> items, IReadOnlyList<UnreadablePart> unreadable) : IReadOnlyList<T>, IPartlyReadable
{
    /// <inheritdoc/>
    public IReadOnlyList<UnreadablePart> Unreadable => unreadable;

    /// <inheritdoc/>
    public bool IsAllUnreadable => items.Count == 0 && unreadable.Count > 0;

    /// <summary>How many elements the answer had.</summary>
    public int Total => items.Count + unreadable.Count;

    /// <inheritdoc/>
    public int Count => items.Count;

    /// <inheritdoc/>
    public T this[int index] => items[index];

    /// <summary>The same list without the elements that have a fault.</summary>
    public ReadableList<T> Without(Func<T, UnreadablePart?> findFault)
    {
        var faults = items.Select(item => (Item: item, Fault: findFault(item))).ToLookup(pair => pair.Fault is null);
        return new([.. faults[true].Select(pair => pair.Item)], [.. unreadable, .. faults[false].Select(pair => pair.Fault!)]);
    }

    /// <summary>The same list without the elements whose name is not theirs alone: nobody knows which of them is right.</summary>
    public ReadableList<T> WithoutTwins(Func<T, string> nameOf)
    {
        var twins = items.GroupBy(nameOf).Where(same => same.Count() > 1).Select(same => same.Key).ToHashSet();
        return twins.Count == 0 ? this : new([.. items.Where(item => !twins.Contains(nameOf(item)))],
            [.. unreadable, .. twins.Select(name => new UnreadablePart(name, "is there twice"))]);
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => items.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>
/// Reads a list element by element: one that cannot be read is left out under its name, and only what is no list at all fails.
/// </summary>
internal sealed class ReadableListConverter<T>(string list, Func<JsonElement, string?> nameOf, Func<T, string?>? findFault = null)
    : JsonConverter<ReadableList<T>> where T : class
{
    public override ReadableList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException($"{list}: a list was expected, not {reader.TokenType}");
        var (items, unreadable) = (new List<T>(), new List<UnreadablePart>());
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = reader;
            try
            {
                var item = JsonSerializer.Deserialize<T>(ref reader, options) ?? throw new JsonException("is null");
                if (findFault?.Invoke(item) is { } fault)
                    throw new JsonException(fault);
                items.Add(item);
            }
            catch (Exception fault) when (HyperliquidJson.IsOfTheText(fault))
            {
                reader = start;
                using var element = JsonDocument.ParseValue(ref reader);
                var error = HyperliquidJson.Describe(fault);
                unreadable.Add(nameOf(element.RootElement) is { } name ? new UnreadablePart(OutsideName.Clean(name), error)
                    : UnreadablePart.At(list, items.Count + unreadable.Count, error));
            }
        }

        return new ReadableList<T>(items, unreadable);
    }

    public override void Write(Utf8JsonWriter writer, ReadableList<T> value, JsonSerializerOptions options) =>
        throw new NotSupportedException("the venue's answers are only read");
}
