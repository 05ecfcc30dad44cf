using System.Text.Json;
using System.Text.Json.Nodes;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording;

/// <summary>
/// A result in two: what the database takes of it, and what it refuses for its content. A finding that is refused as it is stays in the
/// rest in plain text, for people are to hear of it.
/// </summary>
internal sealed record RefusedParts(CheckResult Rest, CheckResult Refused, int Count)
{
    private const int MaxTrials = 200;

    /// <summary>
    /// Halves what is refused until it is down to single parts, by trials that store nothing. Null where the result is refused without
    /// any of its parts too.
    /// </summary>
    public static async Task<RefusedParts?> FindAsync(
        Func<CheckResult, CancellationToken, Task<bool>> takes, CheckResult result, CancellationToken cancellationToken)
    {
        var search = new Search(takes);
        var bare = result with { Observations = [], Findings = [], Readings = [] };
        var isPlain = !await takes(bare, cancellationToken);
        if (isPlain)
        {
            bare = bare with { Run = InPlainText(result.Run), Unjudged = [.. result.Unjudged.Select(Plain)] };
            if (!await takes(bare, cancellationToken))
                return null;
        }

        var observations = await search.FindAsync(result.Observations, rows => bare with { Observations = rows }, cancellationToken);
        var readings = await search.FindAsync(result.Readings, rows => bare with { Readings = rows }, cancellationToken);
        var findings = await search.FindAsync(result.Findings, rows => bare with { Findings = rows }, cancellationToken);
        var kept = new List<Finding>();
        var (leftOut, count) = (0, observations.Count + readings.Count + findings.Count);
        foreach (var finding in result.Findings)
        {
            if (!findings.Contains(finding))
                kept.Add(finding);
            else if (InPlainText(finding) is var readable && kept.TrueForAll(other => other.Fingerprint != readable.Fingerprint)
                && await takes(bare with { Findings = [readable] }, cancellationToken))
                kept.Add(readable);
            else
                leftOut++;
        }

        var rest = bare with
        {
            Run = bare.Run with
            {
                Observations = bare.Run.Observations - observations.Count, Findings = bare.Run.Findings - leftOut,
            },
            Observations = [.. result.Observations.Where(row => !observations.Contains(row))],
            Findings = kept,
            Readings = [.. result.Readings.Where(row => !readings.Contains(row))],
        };
        var refused = result with { Observations = [.. observations], Findings = [.. findings], Readings = [.. readings] };
        return new RefusedParts(rest, refused, isPlain ? count + 1 : count);
    }

    // What is no plain ASCII may be what was refused: a character that no text may hold, or one that the database's encoding has not.
    private static T InPlainText<T>(T part) =>
        Plain(JsonSerializer.SerializeToNode(part, CheckResult.Json)).Deserialize<T>(CheckResult.Json)!;

    private static JsonNode? Plain(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(Plain(member.Key), Plain(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Plain)]),
        JsonValue value when value.TryGetValue<string>(out var text) => JsonValue.Create(Plain(text)),
        _ => node?.DeepClone(),
    };

    private static string Plain(string text) =>
        string.Concat(text.Select(c => c is >= ' ' and <= '~' ? c : c == '…' ? '.' : '?'));

    /// <summary>
    /// The parts that are refused, found within so many trials; after those, what is not known to be taken counts as refused.
    /// </summary>
    private sealed class Search(Func<CheckResult, CancellationToken, Task<bool>> takes)
    {
        private int _trials;

        public async Task<HashSet<T>> FindAsync<T>(
            IReadOnlyList<T> parts, Func<IReadOnlyList<T>, CheckResult> toResult, CancellationToken cancellationToken)
            where T : class
        {
            var refused = new HashSet<T>(ReferenceEqualityComparer.Instance);
            var open = new Stack<ArraySegment<T>>();
            open.Push(parts.ToArray());
            while (open.TryPop(out var segment))
            {
                if (segment.Count == 0 || (_trials++ < MaxTrials && await takes(toResult(segment), cancellationToken)))
                    continue;
                if (segment.Count == 1 || _trials >= MaxTrials)
                {
                    refused.UnionWith(segment);
                    continue;
                }

                open.Push(segment[(segment.Count / 2)..]);
                open.Push(segment[..(segment.Count / 2)]);
            }

            return refused;
        }
    }
}
