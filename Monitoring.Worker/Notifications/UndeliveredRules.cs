using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// The rule of dead letters: a channel that lost a message for good within the last hour is broken, and the other channels say so.
/// </summary>
internal static class UndeliveredRules
{
    /// <summary>How long a dead letter keeps its channel's event open.</summary>
    public static readonly TimeSpan Window = EngineRules.UndeliveredWindow.Span();

    /// <summary>One finding per channel; its name is the subject.</summary>
    public static IReadOnlyList<Finding> Evaluate(IReadOnlyList<DeadLetters> letters) => [.. letters.Select(Find)];

    private static Finding Find(DeadLetters letters)
    {
        var evidence = new Evidence(
            new JsonObject
            {
                ["channel"] = letters.Channel, ["dead"] = letters.Count,
                ["newest_at"] = letters.NewestAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), ["error"] = letters.Error,
            },
            new JsonObject { ["window_seconds"] = Window.TotalSeconds, ["dead"] = 1 },
            [$"dead letters of the last {Window.TotalMinutes:0} min = {letters.Count} >= 1: high"]);
        return EngineRules.Undelivered.Find(Severity.High, new EventSubject("channel", letters.Channel),
            $"Messages to {letters.Channel} are lost",
            $"{letters.Count} notifications were given up within an hour, the newest at {letters.NewestAt:yyyy-MM-dd HH:mm:ss}Z: "
            + letters.Error, evidence, threshold: 1);
    }
}
