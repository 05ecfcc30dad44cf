using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Asks for one account's fills from a time on, to another if given; the oldest of them or the newest.</summary>
internal delegate Task<ReadableList<Fill>> FillSource(
    DateTimeOffset start, DateTimeOffset? end, bool reversed, CancellationToken cancellationToken);

/// <summary>
/// How far an account's fills have been read. <paramref name="IsFill"/>: a fill of exactly this time was seen, so the
/// venue must show it again.
/// </summary>
internal sealed record Watermark(DateTimeOffset At, bool IsFill);

/// <summary>
/// A stretch whose fills the venue no longer has: open at both ends, or a single moment that has more fills than can be asked for.
/// </summary>
internal sealed record FillGap(DateTimeOffset From, DateTimeOffset Until);

/// <summary>What one reading brought: fills in order of time, each once; the new watermark; and whether more waits to be read.</summary>
internal sealed record FillRead(IReadOnlyList<Fill> Fills, Watermark Next, IReadOnlyList<FillGap> Gaps, bool IsBehind, int FullPages)
{
    /// <summary>The fills that could not be read, and are passed over.</summary>
    public IReadOnlyList<UnreadablePart> Unreadable { get; init; } = [];
}

/// <summary>
/// Reads fills page by page. A page goes on at the last time of the one before, included, because more fills of that
/// very moment may follow; what comes twice is dropped by its key. Nothing is assumed of the order within an answer.
/// </summary>
internal static class FillReading
{
    /// <summary>
    /// Reads on from the watermark, at most <paramref name="mostFullPages"/> full pages; a page that is not full is the last.
    /// </summary>
    public static async Task<FillRead> ReadAsync(
        FillSource source, Watermark watermark, int pageSize, int mostFullPages, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var fills = new Dictionary<FillKey, Fill>();
        var gaps = new List<FillGap>();
        var unreadable = new List<UnreadablePart>();
        var (start, fullPages, behind) = (watermark.At, 0, false);
        for (var first = true; ; first = false)
        {
            var page = await source(start, null, false, cancellationToken);
            if (first && watermark.IsFill && !page.Any(fill => fill.At <= watermark.At))
                gaps.Add(new FillGap(watermark.At, page.Count == 0 ? now : page.Min(fill => fill.At)));
            Add(page, fills);
            unreadable.AddRange(page.Unreadable);
            if (page.Total < pageSize || page.Count == 0)
                break;

            fullPages++;
            // The venue once gave the newest fills first: then the page is the end of a stretch and not its beginning.
            if (gaps.Count == 0 && IsNewestFirst(page) && page[^1].At > start)
                gaps.Add(new FillGap(start, page[^1].At));
            var last = page.Max(fill => fill.At);
            if (last <= start)
            {
                if (await ReadCrowdedMomentAsync(source, start, page, fills, pageSize, cancellationToken) is { } gap)
                    gaps.Add(gap);
                last = start.AddMilliseconds(1);
            }

            start = last;
            if (fullPages < mostFullPages)
                continue;
            behind = true;
            break;
        }

        return new FillRead([.. fills.Values.OrderBy(fill => fill.Time).ThenBy(fill => fill.Tid)],
            Next(watermark, fills, gaps, start), gaps, behind, fullPages) { Unreadable = unreadable };
    }

    private static bool IsNewestFirst(ReadableList<Fill> page) =>
        page[0].Time > page[^1].Time && page.Zip(page.Skip(1)).All(pair => pair.First.Time >= pair.Second.Time);

    // More fills in one moment than an answer holds: the same page would come for ever. Its newest are asked for too;
    // what lies between cannot be had.
    private static async Task<FillGap?> ReadCrowdedMomentAsync(
        FillSource source, DateTimeOffset moment, ReadableList<Fill> page, Dictionary<FillKey, Fill> fills,
        int pageSize, CancellationToken cancellationToken)
    {
        var newest = await source(moment, moment, true, cancellationToken);
        Add(newest, fills);
        var known = page.Select(fill => fill.Key).ToHashSet();
        return newest.Total < pageSize || newest.Any(fill => known.Contains(fill.Key)) ? null : new FillGap(moment, moment);
    }

    private static Watermark Next(Watermark watermark, Dictionary<FillKey, Fill> fills, List<FillGap> gaps, DateTimeOffset start)
    {
        var newest = fills.Count == 0 ? watermark : new Watermark(fills.Values.Max(fill => fill.At), IsFill: true);
        return start > newest.At ? new Watermark(start, IsFill: false)
            : fills.Count == 0 && gaps.Count > 0 ? watermark with { IsFill = false } // said once
            : newest;
    }

    private static void Add(ReadableList<Fill> page, Dictionary<FillKey, Fill> fills)
    {
        foreach (var fill in page)
            fills.TryAdd(fill.Key, fill);
    }
}
