using Monitoring.Api.Access;
using Monitoring.Api.Http;
using Monitoring.Data.Access;
using Monitoring.Data.Events;

namespace Monitoring.Api.Security;

/// <summary>Why, in one line of at most 1000 characters; may be left out.</summary>
public sealed record AcknowledgeRequest(string? Note = null);

/// <summary>Why the event is over, in one line of 1 to 1000 characters.</summary>
public sealed record ResolveRequest(string? Note = null);

/// <summary>The event after the action. <c>changed</c> is false when it was so already.</summary>
public sealed record OperatorActionAnswer(bool Success, bool Changed, SecurityEventView Event);

/// <summary>What operators do to events. Each needs a key of the scope operate; who did it is recorded.</summary>
internal static class OperatorEndpoints
{
    public static void MapOperatorActions(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security/events/{eventId:guid}").WithTags("Operator actions").RequireScope(ApiScope.Operate);
        Describe(group.MapPost("/acknowledge", AcknowledgeEvent).WithName(nameof(AcknowledgeEvent)).WithBody<AcknowledgeRequest>());
        Describe(group.MapPost("/resolve", ResolveEvent).WithName(nameof(ResolveEvent)).WithBody<ResolveRequest>());
    }

    /// <summary>Acknowledges an event: somebody looks after it. It stays open; doing it again changes nothing.</summary>
    internal static async Task<IResult> AcknowledgeEvent(
        Guid eventId, HttpContext context, OperatorActions actions, SecurityEvents events, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var (body, refusal) = await RequestBody.ReadAsync<AcknowledgeRequest>(context.Request, cancellationToken);
        if ((refusal ?? FindFault(body!.Note)) is { } fault)
            return fault;
        var outcome = await actions.AcknowledgeAsync(eventId, context.Caller(), body!.Note, clock.GetUtcNow(), cancellationToken);
        return await AnswerAsync(eventId, outcome, events, cancellationToken);
    }

    /// <summary>
    /// Resolves an event with a note. If its finding comes again, that is a new event. Doing it again with the
    /// same note changes nothing.
    /// </summary>
    internal static async Task<IResult> ResolveEvent(
        Guid eventId, HttpContext context, OperatorActions actions, SecurityEvents events, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var (body, refusal) = await RequestBody.ReadAsync<ResolveRequest>(context.Request, cancellationToken);
        if ((refusal ?? FindFault(body!.Note, isRequired: true)) is { } fault)
            return fault;
        var outcome = await actions.ResolveAsync(eventId, context.Caller(), body!.Note!, clock.GetUtcNow(), cancellationToken);
        return await AnswerAsync(eventId, outcome, events, cancellationToken);
    }

    /// <summary>400 for a note that cannot be stored, or null.</summary>
    internal static IResult? FindFault(string? note, bool isRequired = false) =>
        (note is null && !isRequired) || (note is not null && RequestBody.IsLine(note, OperatorActions.MaxNoteLength)) ? null
        : RequestBody.Refuse("note", $"must be one line of 1 to {OperatorActions.MaxNoteLength} characters");

    private static async Task<IResult> AnswerAsync(
        Guid eventId, ActionOutcome outcome, SecurityEvents events, CancellationToken cancellationToken) => outcome switch
    {
        ActionOutcome.NotFound => TypedResults.Problem($"There is no event {eventId}.", statusCode: StatusCodes.Status404NotFound),
        ActionOutcome.Resolved => TypedResults.Problem($"Event {eventId} is resolved already.", statusCode: StatusCodes.Status409Conflict),
        _ => TypedResults.Ok(new OperatorActionAnswer(
            true, outcome == ActionOutcome.Done, SecurityEventView.Of((await events.FindAsync(eventId, cancellationToken))!))),
    };

    private static void Describe(RouteHandlerBuilder endpoint) => endpoint
        .Produces<OperatorActionAnswer>().ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict).WithParameters();
}
