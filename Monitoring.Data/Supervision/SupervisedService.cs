using Microsoft.Extensions.Hosting;

namespace Monitoring.Data.Supervision;

/// <summary>
/// One of a service's loops: a round answers how long to wait for the next, or null when there is nothing more to do.
/// </summary>
public sealed record ServiceLoop(string Name, Func<CancellationToken, Task<TimeSpan?>> Round);

/// <summary>A background service of loops that go on whatever their rounds throw: see <see cref="Supervisor"/>.</summary>
public abstract class SupervisedService(Supervisor supervisor) : BackgroundService
{
    /// <summary>What runs side by side until the service is stopped.</summary>
    protected abstract IEnumerable<ServiceLoop> Loops { get; }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Loops.Select(loop => supervisor.RunAsync(loop.Name, loop.Round, stoppingToken)));
}
