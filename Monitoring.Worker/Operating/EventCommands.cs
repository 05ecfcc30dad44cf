using System.CommandLine;
using Monitoring.Data.Events;

namespace Monitoring.Worker.Operating;

/// <summary>
/// <c>events ack | resolve | silence</c>: the operator's actions, through the same functions as those of the read service.
/// </summary>
internal static class EventCommands
{
    private static readonly Argument<Guid> Id = new("event") { Description = "The event's id." };

    private static readonly Argument<string> Named =
        new("event") { Description = "The event's id, or a fingerprint such as monitor.stale:watchdog." };

    private static readonly Option<string> Note = NoteOption(required: false);

    private static readonly Option<string> Resolution = NoteOption(required: true);

    private static readonly Option<string> Until = OperatorCommands.Checked(
        new Option<string>("--until")
        {
            Description = "Until when: 30m, 12h or 7d from now, or a date or time in UTC.", HelpName = "WHEN", Required = true,
        },
        text => TimeArgument.Find(text, TimeProvider.System.GetUtcNow()) is null ? $"--until takes {TimeArgument.Form}" : null);

    private static readonly Option<string> Actor = OperatorCommands.ActorOption();

    public static Command Create() => new("events", "Security events.")
    {
        OperatorCommands.Define("ack", "Acknowledge an event: somebody looks after it. It stays open.", AcknowledgeAsync, Id, Note, Actor),
        OperatorCommands.Define("resolve", "Resolve an event with a note. If its finding comes again, that is a new event.", ResolveAsync,
            Id, Resolution, Actor),
        OperatorCommands.Define("silence",
            "Send no messages about an event's finding until a time; measuring goes on. Takes the place of the silence in force.",
            SilenceAsync, Named, Until, Note, Actor),
    };

    private static Option<string> NoteOption(bool required) => OperatorCommands.Checked(
        new Option<string>("--note") { Description = "Why, for those who read it later.", HelpName = "TEXT", Required = required },
        text => OperatorCommands.IsLine(text, OperatorActions.MaxNoteLength)
            ? null
            : $"--note takes 1 to {OperatorActions.MaxNoteLength} characters in one line");

    private static async Task<int> AcknowledgeAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var id = parsed.GetValue(Id);
        return await SayAsync($"event {id}", "acknowledged", await services.GetRequiredService<OperatorActions>().AcknowledgeAsync(
            id, OperatorCommands.By(parsed, Actor), parsed.GetValue(Note), Now(services), cancellationToken));
    }

    private static async Task<int> ResolveAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var id = parsed.GetValue(Id);
        return await SayAsync($"event {id}", "resolved", await services.GetRequiredService<OperatorActions>().ResolveAsync(
            id, OperatorCommands.By(parsed, Actor), parsed.GetValue(Resolution)!, Now(services), cancellationToken));
    }

    private static async Task<int> SilenceAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var (named, now) = (parsed.GetValue(Named)!, Now(services));
        var fingerprint = Guid.TryParse(named, out var id)
            ? (await services.GetRequiredService<SecurityEvents>().FindAsync(id, cancellationToken))?.Fingerprint
            : named;
        if (fingerprint is null)
            return await SayAsync($"event {id}", "", ActionOutcome.NotFound);

        var until = TimeArgument.Find(parsed.GetValue(Until)!, now)!.Value;
        var made = await services.GetRequiredService<OperatorActions>().SilenceAsync(
            fingerprint, until, OperatorCommands.By(parsed, Actor), parsed.GetValue(Note), now, cancellationToken);
        return await SayAsync($"finding {fingerprint}", $"silenced until {until.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC", made.Outcome);
    }

    private static async Task<int> SayAsync(string what, string done, ActionOutcome outcome)
    {
        var (writer, text) = outcome switch
        {
            ActionOutcome.Done => (Console.Out, $"{what} is {done}"),
            ActionOutcome.Unchanged => (Console.Out, $"{what} was {done} already"),
            ActionOutcome.Resolved => (Console.Error, $"{what} is resolved already"),
            _ => (Console.Error, $"there is no {what}"),
        };
        await writer.WriteLineAsync(text);
        return outcome is ActionOutcome.Done or ActionOutcome.Unchanged ? 0 : 1;
    }

    private static DateTimeOffset Now(IServiceProvider services) => services.GetRequiredService<TimeProvider>().GetUtcNow();
}
