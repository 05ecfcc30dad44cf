using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Monitoring.Simulator.Faults;

/// <summary>A fault as its switch shows it.</summary>
internal sealed record FaultView(string Fault, string? Type, int? Count, decimal? Seconds, int? RetryAfter)
{
    public static FaultView Of(Fault fault) => new(FaultNames.Of(fault.Kind), fault.Type, fault.Count, fault.Seconds, fault.RetryAfter);
}

/// <summary>The fault switch over HTTP.</summary>
internal static class FaultEndpoints
{
    public static void MapFaults(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/faults", (Venue venue) => TypedResults.Ok(venue.Faults.Active.Select(FaultView.Of)));
        routes.MapPost("/faults", AddAsync);
        routes.MapDelete("/faults", NoContent (Venue venue) =>
        {
            venue.Faults.Clear();
            return TypedResults.NoContent();
        });
    }

    internal static async Task<Results<Ok<FaultView>, ProblemHttpResult>> AddAsync(
        HttpRequest request, Venue venue, CancellationToken cancellationToken)
    {
        var (fault, errors) = await ReadAsync(request, cancellationToken);
        if (fault is null)
            return TypedResults.Problem(new HttpValidationProblemDetails(errors) { Status = StatusCodes.Status400BadRequest });
        venue.Faults.Add(fault);
        return TypedResults.Ok(FaultView.Of(fault));
    }

    private static async Task<(Fault? Fault, Dictionary<string, string[]> Errors)> ReadAsync(
        HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, cancellationToken: cancellationToken);
            return FaultRequest.Read(document.RootElement);
        }
        catch (JsonException)
        {
            return (null, new(StringComparer.Ordinal) { ["body"] = ["must be JSON"] });
        }
    }
}
