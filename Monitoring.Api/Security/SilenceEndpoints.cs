using System.Globalization;
using Monitoring.Api.Access;
using Monitoring.Api.Http;
using Monitoring.Data.Access;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;

namespace Monitoring.Api.Security;

/// <summary>
/// What is to be silenced, by <c>fingerprint</c> or by the <c>event_id</c> of one of its events; until when, as
/// 2026-11-21T18:00:00Z; and why.
/// </summary>
public sealed record SilenceRequest(string? Fingerprint = null, Guid? EventId = null, string? Until = null, string? Note = null);

/// <summary>A silence. It is in force until <c>until</c>, or until <c>ended_at</c> where another took its place.</summary>
public sealed record SilenceView(
    Guid Id, string Fingerprint, DateTimeOffset Until, bool IsActive, string? Note, string CreatedBy,
    DateTimeOffset CreatedAt, DateTimeOffset? EndedAt)
{
    internal static SilenceView Of(Silence row, DateTimeOffset now) =>
        new(row.SilenceId, row.Fingerprint, row.Until, row.EndedAt is null && row.Until > now, row.Note, row.CreatedBy,
            row.CreatedAt, row.EndedAt);
}

/// <summary>A page of silences.</summary>
public sealed record SilencePage(IReadOnlyList<SilenceView> Silences, string? Next) : Page<SilenceView>(Silences, Next);

/// <summary>The silence in force. <c>changed</c> is false when it was so already.</summary>
public sealed record SilenceAnswer(bool Success, bool Changed, SilenceView Silence);

/// <summary>The routes of silences.</summary>
internal static class SilenceEndpoints
{
    private const int MaxFingerprintLength = 300;
    private const int MaxDays = 366;

    private static readonly string[] Times = ["yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz"];
    private static readonly FlagParameter ActiveOnly = new("active_only", true, "Only silences that are in force.");

    // The clock of the request, because whether a silence is in force is a matter of time.
    private static ListOf<SilencePage, Silence, SilenceView, SilenceCursor> List(DateTimeOffset now) => new(
        new WholeParameter("limit", 1, 200, 50, "How many silences at most."), row => new SilenceCursor(row.CreatedAt, row.SilenceId),
        row => SilenceView.Of(row, now), (rows, next) => new SilencePage(rows, next));

    public static void MapSilences(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security/silences").WithTags("Operator actions");
        List(default).Describe(group.MapGet("/", ListSilences).WithName(nameof(ListSilences)), ActiveOnly);
        group.MapPost("/", SilenceFinding).WithName(nameof(SilenceFinding)).WithBody<SilenceRequest>()
            .Produces<SilenceAnswer>().ProducesProblem(StatusCodes.Status404NotFound).WithParameters().RequireScope(ApiScope.Operate);
    }

    /// <summary>Silences, newest first.</summary>
    internal static IResult ListSilences(HttpRequest request, Silences silences, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        return List(now).Answer((_, after, limit, cancellationToken) => silences.ListAsync(
            ActiveOnly.Read(request), now, after, limit, cancellationToken));
    }

    /// <summary>
    /// Sends no messages about a finding until a time; measuring goes on. Takes the place of the silence in force, so
    /// it can end one sooner, too.
    /// </summary>
    internal static async Task<IResult> SilenceFinding(
        HttpContext context, OperatorActions actions, SecurityEvents events, Silences silences, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var (body, refusal) = await RequestBody.ReadAsync<SilenceRequest>(context.Request, cancellationToken);
        if ((refusal ?? FindFault(body!, now)) is { } fault)
            return fault;

        var fingerprint = body!.EventId is { } id ? (await events.FindAsync(id, cancellationToken))?.Fingerprint : body.Fingerprint;
        var made = fingerprint is null ? new SilenceOutcome(ActionOutcome.NotFound, null)
            : await actions.SilenceAsync(
                fingerprint, FindTime(body.Until, now)!.Value, context.Caller(), body.Note, now, cancellationToken);
        return made.SilenceId is { } silenceId && await silences.FindAsync(silenceId, cancellationToken) is { } row
            ? TypedResults.Ok(new SilenceAnswer(true, made.Outcome == ActionOutcome.Done, SilenceView.Of(row, now)))
            : TypedResults.Problem(
                body.EventId is null ? "Nothing was ever found by this fingerprint." : $"There is no event {body.EventId}.",
                statusCode: StatusCodes.Status404NotFound);
    }

    private static IResult? FindFault(SilenceRequest body, DateTimeOffset now) =>
        (body.Fingerprint is null) == (body.EventId is null) ? RequestBody.Refuse(
            "fingerprint", "or event_id must be given, and only one of them")
        : body.Fingerprint is { } text && !RequestBody.IsLine(text, MaxFingerprintLength)
            ? RequestBody.Refuse("fingerprint", $"must be one line of 1 to {MaxFingerprintLength} characters")
        : FindTime(body.Until, now) is null
            ? RequestBody.Refuse("until", $"must be a time to come, at most {MaxDays} days ahead, like 2026-11-21T18:00:00Z")
        : OperatorEndpoints.FindFault(body.Note);

    private static DateTimeOffset? FindTime(string? text, DateTimeOffset now) =>
        DateTimeOffset.TryParseExact(
            text?.Replace("Z", "+00:00", StringComparison.Ordinal), Times, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
        && at > now && at <= now.AddDays(MaxDays)
            ? at : null;
}
