using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Monitoring.Api.Http;
using Monitoring.Api.Runbook;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using EventList = Monitoring.Api.Http.ListOf<
    Monitoring.Api.Security.SecurityEventPage, Monitoring.Data.Events.SecurityEvent,
    Monitoring.Api.Security.SecurityEventView, Monitoring.Data.Events.EventCursor>;

namespace Monitoring.Api.Security;

/// <summary>
/// A security event. <c>timestamp</c> is when it was first seen. <c>title</c> is that of the worst so far, at <c>worst_at</c>;
/// <c>description</c> and <c>indicators</c>, the newest values of its rule, are of <c>last_seen_at</c>. <c>measure</c> names the value that
/// says how bad it is, in <c>unit</c> (USD, %, points, s, h, x or nothing): <c>current_value</c> at <c>last_seen_at</c>,
/// <c>worst_value</c> at <c>worst_at</c>, <c>threshold_value</c> of the severity reached; null where not known.
/// <c>situation_id</c> is the situation that it is part of;
/// <c>inhibited_by</c> is the event that speaks for it, or did until its end: while that is open and not silenced, this one
/// notifies nobody; <c>runbook</c> is where the entry of its rule is, relative to the address of the page.
/// </summary>
public sealed record SecurityEventView(
    Guid Id, DateTimeOffset Timestamp, string Monitor, string RuleId, int RuleVersion, string ThreatType,
    Severity Severity, EventStatus Status, string Subject, string Title, string Description, JsonElement Indicators,
    IReadOnlyList<string> AffectedAddresses, decimal? EstimatedLossUsd, bool IsActive, long Occurrences,
    DateTimeOffset FirstSeenAt, DateTimeOffset LastSeenAt, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy,
    DateTimeOffset? ResolvedAt, string? Resolution, Guid? InhibitedBy, string? Measure, string? Unit, decimal? CurrentValue,
    decimal? WorstValue, DateTimeOffset? WorstAt, decimal? ThresholdValue, Guid? SituationId,
    string? Runbook)
{
    internal static SecurityEventView Of(SecurityEvent row) => new(
        row.EventId, row.FirstSeenAt, row.Monitor, row.RuleId, row.RuleVersion, row.ThreatType, row.Severity,
        row.Status, row.Subject, row.Title, row.Description, JsonSerializer.Deserialize<JsonElement>(row.Indicators),
        row.RelatedAddresses, row.EstimatedLossUsd, row.Status != EventStatus.Resolved, row.Occurrences,
        row.FirstSeenAt, row.LastSeenAt, row.AcknowledgedAt, row.AcknowledgedBy, row.ResolvedAt, row.Resolution, row.InhibitedBy,
        row.Measure, row.Unit, row.CurrentValue, row.WorstValue, row.WorstAt, row.ThresholdValue, row.SituationId,
        RunbookEndpoints.FindAddress(row.RuleId));
}

/// <summary>A page of events.</summary>
public sealed record SecurityEventPage(IReadOnlyList<SecurityEventView> Events, string? Next) : Page<SecurityEventView>(Events, Next);

/// <summary>One change of an event: when it was recorded, and the scheduled time of the check that caused it.</summary>
public sealed record SecurityEventChangeView(
    long Seq, DateTimeOffset ChangedAt, DateTimeOffset? ScheduledAt, ChangeKind Kind, Severity Severity, string Actor, string? Note)
{
    internal static SecurityEventChangeView Of(SecurityEventChange row) =>
        new(row.Seq, row.ChangedAt, row.ScheduledAt, row.Kind, row.Severity, row.Actor, row.Note);
}

/// <summary>
/// One message about a change, to one channel. <c>message_id</c> is the id that the receiver saw; null while nothing was sent.
/// </summary>
public sealed record NotificationView(
    Guid Id, long Seq, string Channel, ChangeKind Kind, Severity Severity, NotificationStatus Status, DateTimeOffset CreatedAt,
    Guid? MessageId, int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset? DeliveredAt, DateTimeOffset? DeadAt, string? LastError)
{
    internal static NotificationView Of(Notification row) => new(
        row.NotificationId, row.Seq, row.Channel, row.Kind, row.Severity, row.Status, row.CreatedAt, row.MessageId,
        row.Attempts, row.NextAttemptAt, row.DeliveredAt, row.DeadAt, row.LastError);
}

/// <summary>An event with its changes and the notifications of them, oldest first.</summary>
public sealed record SecurityEventAnswer(
    bool Success, SecurityEventView Event, IReadOnlyList<SecurityEventChangeView> Changes, IReadOnlyList<NotificationView> Notifications);

/// <summary>Which rule, in which version.</summary>
public sealed record RuleView(string Id, int Version);

/// <summary>
/// Why an event has the severity it has: the values seen, the thresholds they were compared with, each comparison,
/// and the rows behind them; <c>runbook</c> is where the entry of the rule is, relative to the address of the page.
/// </summary>
public sealed record ExplanationAnswer(
    bool Success, Guid EventId, RuleView Rule, Severity Severity, DateTimeOffset? ScheduledAt,
    JsonElement Thresholds, JsonElement Values, JsonElement Arithmetic, IReadOnlyList<EvidenceRow> Evidence, string? Runbook);

/// <summary>The routes of security events.</summary>
internal static class EventEndpoints
{
    private static readonly ChoiceParameter<EventStatus> Status = new("status", "Only events in this state.");
    private static readonly ChoiceParameter<Severity> OfSeverity = new("severity", "Only events of this severity.");
    private static readonly NameParameter ThreatType = new("threat_type", "Only events of this threat type, as their rule names it.");

    private static readonly EventList Events = List(new WholeParameter("limit", 1, 200, 50, "How many events at most."), window: null);
    private static readonly EventList StoredEvents = List(
        new WholeParameter("limit", 1, 500, 100, "How many events at most."), WindowParameters.OfHours(168, 24));

    private static EventList List(WholeParameter limit, WindowParameters? window) => new(
        limit, row => new EventCursor(row.Status == EventStatus.Resolved, row.FirstSeenAt, row.EventId),
        SecurityEventView.Of, (rows, next) => new SecurityEventPage(rows, next), window);

    public static void MapSecurityEvents(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security/events").WithTags("Security events");
        Events.Describe(group.MapGet("/", ListEvents).WithName(nameof(ListEvents)), Status, OfSeverity);
        StoredEvents.Describe(group.MapGet("/database", ListStoredEvents).WithName(nameof(ListStoredEvents)), OfSeverity, ThreatType);
        group.MapGet("/{eventId:guid}", GetEvent).WithName(nameof(GetEvent)).WithParameters().ProducesProblem(404);
        group.MapGet("/{eventId:guid}/explain", ExplainEvent).WithName(nameof(ExplainEvent)).WithParameters().ProducesProblem(404);
    }

    /// <summary>Security events: those that are not resolved first, then newest first.</summary>
    internal static IResult ListEvents(HttpRequest request, SecurityEvents events) => Events.Answer((_, after, limit, cancellationToken) =>
        events.ListAsync(Status.Find(request), OfSeverity.Find(request), after, limit, cancellationToken));

    /// <summary>Every security event seen within a window, resolved or not, newest first.</summary>
    internal static IResult ListStoredEvents(HttpRequest request, SecurityEvents events) =>
        StoredEvents.Answer((window, after, limit, cancellationToken) =>
            events.ListSinceAsync(
                window.Since, window.End, OfSeverity.Find(request), ThreatType.Find(request), after, limit, cancellationToken));

    /// <summary>One event with the history of its changes and the notifications of them.</summary>
    internal static async Task<Results<Ok<SecurityEventAnswer>, ProblemHttpResult>> GetEvent(
        Guid eventId, SecurityEvents events, SecurityEventChanges changes, NotificationTable notifications,
        CancellationToken cancellationToken)
    {
        if (await events.FindAsync(eventId, cancellationToken) is not { } found)
            return NoSuchEvent(eventId);
        var rows = await changes.ListAsync(eventId, cancellationToken);
        return TypedResults.Ok(new SecurityEventAnswer(true, SecurityEventView.Of(found),
            [.. rows.Select(SecurityEventChangeView.Of)],
            [.. (await notifications.ListOfEventAsync(eventId, cancellationToken)).Select(NotificationView.Of)]));
    }

    /// <summary>Why the event has its severity: rule, thresholds, values, arithmetic, and the stored rows behind them.</summary>
    internal static async Task<Results<Ok<ExplanationAnswer>, ProblemHttpResult>> ExplainEvent(
        Guid eventId, SecurityEvents events, SecurityEventChanges changes, EvidenceReader rows, CancellationToken cancellationToken)
    {
        if (await events.FindAsync(eventId, cancellationToken) is not { } found)
            return NoSuchEvent(eventId);
        var deciding = (await changes.ListAsync(eventId, cancellationToken)).Last(change => change.Evidence is not null);
        var evidence = JsonSerializer.Deserialize<JsonElement>(deciding.Evidence!);
        return TypedResults.Ok(new ExplanationAnswer(true, eventId, new RuleView(found.RuleId, found.RuleVersion), deciding.Severity,
            deciding.ScheduledAt, evidence.GetProperty("thresholds"), evidence.GetProperty("values"), evidence.GetProperty("arithmetic"),
            deciding.ScheduledAt is { } at ? await rows.ListAsync(found, at, evidence.GetProperty("values"), cancellationToken) : [],
            RunbookEndpoints.FindAddress(found.RuleId)));
    }

    private static ProblemHttpResult NoSuchEvent(Guid eventId) =>
        TypedResults.Problem($"There is no event {eventId}.", statusCode: StatusCodes.Status404NotFound);
}
