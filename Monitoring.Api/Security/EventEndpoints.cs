using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Monitoring.Api.Http;
using Monitoring.Api.Venues;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Security;

/// <summary>A security event. <c>timestamp</c> is when it was first seen; <c>indicators</c> are the newest values of its rule.</summary>
public sealed record SecurityEventView(
    Guid Id, DateTimeOffset Timestamp, string Monitor, string RuleId, int RuleVersion, string ThreatType, Severity Severity, EventStatus Status, string Subject,
    string Title, string Description, JsonElement Indicators, IReadOnlyList<string> AffectedAddresses, decimal? EstimatedLossUsd, bool IsActive, long Occurrences,
    DateTimeOffset FirstSeenAt, DateTimeOffset LastSeenAt, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy, DateTimeOffset? ResolvedAt, string? Resolution)
{
    internal static SecurityEventView Of(SecurityEvent row) => new(
        row.EventId, row.FirstSeenAt, row.Monitor, row.RuleId, row.RuleVersion, row.ThreatType, row.Severity, row.Status, row.Subject, row.Title, row.Description,
        JsonSerializer.Deserialize<JsonElement>(row.Indicators), row.RelatedAddresses, row.EstimatedLossUsd, row.Status != EventStatus.Resolved, row.Occurrences,
        row.FirstSeenAt, row.LastSeenAt, row.AcknowledgedAt, row.AcknowledgedBy, row.ResolvedAt, row.Resolution);
}

/// <summary>A page of events.</summary>
public sealed record SecurityEventPage(IReadOnlyList<SecurityEventView> Events, string? Next) : Page<SecurityEventView>(Events, Next);

/// <summary>One change of an event: when it was recorded, and the scheduled time of the check that caused it.</summary>
public sealed record SecurityEventChangeView(
    long Seq, DateTimeOffset ChangedAt, DateTimeOffset? ScheduledAt, ChangeKind Kind, Severity Severity, string Actor, string? Note);

/// <summary>An event with its changes, oldest first.</summary>
public sealed record SecurityEventAnswer(bool Success, SecurityEventView Event, IReadOnlyList<SecurityEventChangeView> Changes);

/// <summary>Which rule, in which version.</summary>
public sealed record RuleView(string Id, int Version);

/// <summary>A stored row that the verdict was made from, and its table.</summary>
public sealed record EvidenceRow(string Table, object Row);

/// <summary>Why an event has the severity it has: the values seen, the thresholds they were compared with, each comparison, and the rows behind them.</summary>
public sealed record ExplanationAnswer(
    bool Success, Guid EventId, RuleView Rule, Severity Severity, DateTimeOffset? ScheduledAt,
    JsonElement Thresholds, JsonElement Values, JsonElement Arithmetic, IReadOnlyList<EvidenceRow> Evidence);

/// <summary>The routes of security events.</summary>
internal static class EventEndpoints
{
    private static readonly WholeParameter Limit = new("limit", 1, 200, 50, "How many events at most.");
    private static readonly WholeParameter DatabaseLimit = new("limit", 1, 500, 100, "How many events at most.");
    private static readonly WholeParameter Hours = new("hours", 1, 168, 24, "Only events seen in the last so many hours.");
    private static readonly ChoiceParameter<EventStatus> Status = new("status", "Only events in this state.");
    private static readonly ChoiceParameter<Severity> OfSeverity = new("severity", "Only events of this severity.");
    private static readonly NameParameter ThreatType = new("threat_type", "Only events of this threat type, such as hlp_exploitation.");
    private static readonly CursorParameter<EventCursor> Before = new(ParseCursor);

    public static void MapSecurityEvents(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/security/events").WithTags("Security events");
        PageResult<SecurityEventPage, SecurityEventView>.Describe(
            group.MapGet("/", ListEvents).WithName(nameof(ListEvents)).WithParameters(Status, OfSeverity, Limit, Before));
        PageResult<SecurityEventPage, SecurityEventView>.Describe(
            group.MapGet("/database", ListStoredEvents).WithName(nameof(ListStoredEvents)).WithParameters(OfSeverity, ThreatType, Hours, DatabaseLimit, Before));
        group.MapGet("/{eventId:guid}", GetEvent).WithName(nameof(GetEvent)).WithParameters();
        group.MapGet("/{eventId:guid}/explain", ExplainEvent).WithName(nameof(ExplainEvent)).WithParameters();
    }

    /// <summary>Security events: those that are not resolved first, then newest first.</summary>
    internal static async Task<IResult> ListEvents(HttpRequest request, SecurityEvents events, CancellationToken cancellationToken)
    {
        var limit = Limit.Read(request);
        return ToPage(await events.ListAsync(Status.Find(request), OfSeverity.Find(request), Before.Find(request), limit, cancellationToken), limit);
    }

    /// <summary>Every security event seen within the last hours, resolved or not, newest first.</summary>
    internal static async Task<IResult> ListStoredEvents(HttpRequest request, SecurityEvents events, TimeProvider clock, CancellationToken cancellationToken)
    {
        var limit = DatabaseLimit.Read(request);
        return ToPage(await events.ListSinceAsync(clock.GetUtcNow().AddHours(-Hours.Read(request)), OfSeverity.Find(request), ThreatType.Find(request),
            Before.Find(request), limit, cancellationToken), limit);
    }

    /// <summary>One event with the history of its changes.</summary>
    internal static async Task<Results<Ok<SecurityEventAnswer>, ProblemHttpResult>> GetEvent(
        Guid eventId, SecurityEvents events, SecurityEventChanges changes, CancellationToken cancellationToken)
    {
        if (await events.FindAsync(eventId, cancellationToken) is not { } found)
            return NoSuchEvent(eventId);
        var rows = await changes.ListAsync(eventId, cancellationToken);
        return TypedResults.Ok(new SecurityEventAnswer(true, SecurityEventView.Of(found),
            [.. rows.Select(c => new SecurityEventChangeView(c.Seq, c.ChangedAt, c.ScheduledAt, c.Kind, c.Severity, c.Actor, c.Note))]));
    }

    /// <summary>Why the event has its severity: rule, thresholds, values, arithmetic, and the stored rows behind them.</summary>
    internal static async Task<Results<Ok<ExplanationAnswer>, ProblemHttpResult>> ExplainEvent(
        Guid eventId, SecurityEvents events, SecurityEventChanges changes, HlpVaultSnapshots snapshots, CancellationToken cancellationToken)
    {
        if (await events.FindAsync(eventId, cancellationToken) is not { } found)
            return NoSuchEvent(eventId);
        var deciding = (await changes.ListAsync(eventId, cancellationToken)).Last(change => change.Evidence is not null);
        var evidence = JsonSerializer.Deserialize<JsonElement>(deciding.Evidence!);
        return TypedResults.Ok(new ExplanationAnswer(true, eventId, new RuleView(found.RuleId, found.RuleVersion), deciding.Severity, deciding.ScheduledAt,
            evidence.GetProperty("thresholds"), evidence.GetProperty("values"), evidence.GetProperty("arithmetic"),
            await FindEvidenceAsync(found, deciding.ScheduledAt, snapshots, cancellationToken)));
    }

    private static async Task<IReadOnlyList<EvidenceRow>> FindEvidenceAsync(
        SecurityEvent found, DateTimeOffset? scheduledAt, HlpVaultSnapshots snapshots, CancellationToken cancellationToken) =>
        found.Monitor == HlpVaultReader.Monitor && scheduledAt is { } at && await snapshots.FindAsync(found.Subject, at, cancellationToken) is { } row
            ? [new EvidenceRow("hlp_vault_snapshots", HlpVaultSnapshotView.Of(row))]
            : [];

    private static PageResult<SecurityEventPage, SecurityEventView> ToPage(IReadOnlyList<SecurityEvent> rows, int limit) => new(new SecurityEventPage(
        [.. rows.Select(SecurityEventView.Of)],
        rows.Count == limit ? Cursor.Encode(rows[^1].Status == EventStatus.Resolved, rows[^1].FirstSeenAt, rows[^1].EventId) : null));

    private static EventCursor? ParseCursor(string[] parts) =>
        parts.Length == 3 && bool.TryParse(parts[0], out var resolved) && Cursor.ParseTime(parts[1]) is { } at && Guid.TryParse(parts[2], out var id)
            ? new EventCursor(resolved, at, id)
            : null;

    private static ProblemHttpResult NoSuchEvent(Guid eventId) =>
        TypedResults.Problem($"There is no event {eventId}.", statusCode: StatusCodes.Status404NotFound);
}
