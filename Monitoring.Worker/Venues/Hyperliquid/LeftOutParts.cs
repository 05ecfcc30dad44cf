using System.Collections.Concurrent;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// Counts what is left out of the venue's answers, and says once of each part that it is. What that means for a verdict, the monitors say.
/// </summary>
internal sealed partial class LeftOutParts(ILogger<LeftOutParts> logger)
{
    private const int MostNamed = 5;

    private readonly ConcurrentDictionary<string, HashSet<string>> _named = [];
    private long _count;

    /// <summary>How many parts were left out of all answers together.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Takes in what was left out of an answer; the next one of that kind speaks for the same parts.</summary>
    public void Note(string answer, IReadOnlyList<UnreadablePart> parts)
    {
        Interlocked.Add(ref _count, parts.Count);
        if (parts.Count == 0)
        {
            if (_named.TryRemove(answer, out _))
                LogWhole(answer);
            return;
        }

        var names = parts.Select(part => part.Name).ToHashSet();
        var news = _named.TryGetValue(answer, out var known) ? [.. parts.Where(part => !known.Contains(part.Name))] : parts;
        _named[answer] = names;
        if (news.Count > 0)
            LogLeftOut(answer, news.Count, string.Join(", ", news.Take(MostNamed).Select(part => part.Name)), news[0].Error);
    }

    [LoggerMessage(LogLevel.Warning,
        "hyperliquid {Answer}: {Parts} parts cannot be read and are left out, none is judged as over: {Names}; the first: {Error}")]
    private partial void LogLeftOut(string answer, int parts, string names, string error);

    [LoggerMessage(LogLevel.Information, "hyperliquid {Answer}: every part can be read again")]
    private partial void LogWhole(string answer);
}
