using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Watching;

/// <summary>Lets the watchdog look at the worker's own loops.</summary>
internal sealed class LoopHealth(Supervisor supervisor, EventSnapshot snapshot, WorkerIdentity identity) : IWatchdogSource
{
    /// <inheritdoc/>
    public IReadOnlyList<Rule> Rules => [EngineRules.LoopFails];

    /// <inheritdoc/>
    public IReadOnlyList<string> Unjudged => snapshot.OfOtherHosts(EngineRules.LoopFails, identity);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> LookAsync(DateTimeOffset at, CancellationToken cancellationToken) =>
        Task.FromResult(LoopRules.Evaluate(supervisor.Failing, identity));
}

/// <summary>The rule of the worker's loops: a part that fails again and again does not do its work, though the worker runs.</summary>
internal static class LoopRules
{
    /// <summary>One finding per loop of a host that has failed for too long.</summary>
    public static IReadOnlyList<Finding> Evaluate(IReadOnlyList<FailingLoop> failing, WorkerIdentity identity)
    {
        var limit = EngineRules.LoopFailsSeconds.Span();
        return [.. failing.Where(loop => loop.Age >= limit).Select(loop => EngineRules.LoopFails.Find(
            Severity.High, new EventSubject("loop", identity.SubjectOf(loop.Name)), $"A part of the worker fails: {loop.Name}",
            $"Each of its last {loop.Failures} rounds failed, for {loop.Age.TotalSeconds:0} s by now; it is tried again and again. "
            + $"The newest fault: {loop.Error}",
            new Evidence(
                new JsonObject
                {
                    ["loop"] = loop.Name, ["host"] = identity.Host, ["failures"] = loop.Failures,
                    ["failing_seconds"] = Math.Round(loop.Age.TotalSeconds, 3), ["error"] = loop.Error,
                },
                new JsonObject { [EngineRules.LoopFailsSeconds.Name] = limit.TotalSeconds },
                [$"no round has succeeded for {loop.Age.TotalSeconds:0} s >= {limit.TotalSeconds:0} s: high"]),
            threshold: (decimal)limit.TotalSeconds))];
    }
}
