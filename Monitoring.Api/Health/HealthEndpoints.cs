using Microsoft.AspNetCore.Http.HttpResults;
using Monitoring.Api.Http;
using Monitoring.Api.Metrics;
using Monitoring.Api.Workers;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Api.Health;

/// <summary><c>live</c>: the process answers. <c>ready</c>: the database and its schema can serve.</summary>
public sealed record HealthAnswer(string Status);

/// <summary>Whether the database takes writes: a worker has just written to it, or could.</summary>
public sealed record DatabaseHealth(bool TakesWrites);

/// <summary><c>ok</c>, or <c>degraded</c> while a monitor is not fresh or no worker reports.</summary>
public sealed record HealthSummary(
    string Status, long SchemaVersion, IReadOnlyDictionary<string, Freshness> Monitors, WorkersView Workers, DatabaseHealth Database);

/// <summary>Probes for whatever keeps the service running.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/health").WithTags("Health").WithMetadata(new AlwaysServed());
        group.MapGet("/live", GetLive).WithName(nameof(GetLive)).WithParameters().WithMetadata(new NoDatabase());
        group.MapGet("/ready", GetReady).WithName(nameof(GetReady)).WithParameters();
        group.MapGet("/", GetHealth).WithName(nameof(GetHealth)).WithParameters();
    }

    /// <summary>Whether the process answers; asks nothing of the database.</summary>
    internal static Ok<HealthAnswer> GetLive() => TypedResults.Ok(new HealthAnswer("live"));

    /// <summary>Whether the service can answer: the database is there and its schema is new enough.</summary>
    internal static async Task<Results<Ok<HealthAnswer>, ProblemHttpResult>> GetReady(
        SchemaVersions schema, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await schema.FindProblemAsync(cancellationToken) is not { } problem)
            return TypedResults.Ok(new HealthAnswer("ready"));
        response.Headers.RetryAfter = "5";
        return TypedResults.Problem(problem, statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>A summary: the schema's version, how current each monitor is, and whether anybody watches.</summary>
    internal static async Task<Ok<HealthSummary>> GetHealth(StoredMetrics stored, CancellationToken cancellationToken)
    {
        var figures = await stored.ReadAsync(cancellationToken);
        var states = figures.Monitors.ToDictionary(monitor => monitor.Name, monitor => monitor.State);
        var (workers, takesWrites) = figures.Workers;
        var isWell = states.Count > 0 && states.Values.All(state => state == Freshness.Fresh) && !workers.IsBlind;
        return TypedResults.Ok(new HealthSummary(
            isWell ? "ok" : "degraded", figures.SchemaVersion, states, workers, new DatabaseHealth(takesWrites)));
    }
}
