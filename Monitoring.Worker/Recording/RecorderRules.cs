using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording;

/// <summary>The database takes no results since then.</summary>
internal sealed record DatabaseOutage(DateTimeOffset Since, string Error);

/// <summary>How the recorder fares: which database and journal it uses, and what is wrong with them.</summary>
internal sealed record RecorderState(string Database, DatabaseOutage? Outage, string Journal, JournalFault? Fault, IReadOnlyList<string> SetAside, int Waiting);

/// <summary>The rules of the recorder: what keeps results from being stored is itself an event.</summary>
internal static class RecorderRules
{
    public const string DatabaseAway = "database.away";
    public const string JournalUnwritable = "journal.unwritable";
    public const string JournalFull = "journal.full";
    public const string JournalSetAside = "journal.set-aside";

    private const string JournalFaultThreat = "journal_fault";

    /// <summary>Whether the subject of this rule is a journal: a folder of one machine.</summary>
    public static bool IsOfJournal(string rule) => rule is JournalUnwritable or JournalFull or JournalSetAside;

    /// <summary>One finding per thing that is wrong.</summary>
    public static IReadOnlyList<Finding> Evaluate(RecorderState state, DateTimeOffset now)
    {
        var findings = new List<Finding>();
        if (state.Outage is { } outage)
            findings.Add(Away(state, outage, now));
        if (state.Fault is { } fault)
            findings.Add(Unwritable(state, fault, now));
        if (state.SetAside.Count > 0)
            findings.Add(SetAside(state));
        return findings;
    }

    private static Finding Away(RecorderState state, DatabaseOutage outage, DateTimeOffset now)
    {
        var seconds = Seconds(now - outage.Since);
        return Find(DatabaseAway, "database_unavailable", new EventSubject("database", state.Database), "The database takes no results",
            $"Since {Time(outage.Since)} the database {state.Database} takes no results: {outage.Error}. They wait in the journal {state.Journal} and are stored when it is back.",
            new Evidence(
                new JsonObject { ["database"] = state.Database, ["since"] = Time(outage.Since), ["away_seconds"] = seconds, ["waiting"] = state.Waiting, ["error"] = outage.Error },
                new JsonObject { ["waiting"] = 1 },
                [$"results that the database did not take = {state.Waiting} for {seconds:0.#} s: high"]));
    }

    private static Finding Unwritable(RecorderState state, JournalFault fault, DateTimeOffset now) => Find(
        fault.Full ? JournalFull : JournalUnwritable, JournalFaultThreat, new EventSubject("journal", state.Journal),
        fault.Full ? "The journal is full" : "The journal cannot be written",
        $"Since {Time(fault.Since)} the journal takes no results: {fault.Error}. While the database is away too, the newest {Backlog.Capacity} stay in memory and are lost with the process.",
        new Evidence(
            new JsonObject { ["journal"] = state.Journal, ["since"] = Time(fault.Since), ["faulty_seconds"] = Seconds(now - fault.Since), ["waiting"] = state.Waiting, ["error"] = fault.Error },
            new JsonObject { ["in_memory_at_most"] = Backlog.Capacity },
            [$"the newest record was not written: {fault.Error}: high"]));

    private static Finding SetAside(RecorderState state) => Find(
        JournalSetAside, JournalFaultThreat, new EventSubject("journal", state.Journal),
        $"{state.SetAside.Count} records could not be stored",
        "They were damaged on the disk, or the database refuses them for their content. They are kept in files of their own, and all others were stored. Look at the files, then take them away: "
        + string.Join(", ", state.SetAside.Take(10).Select(Path.GetFileName)),
        new Evidence(
            new JsonObject { ["journal"] = state.Journal, ["set_aside"] = state.SetAside.Count, ["files"] = new JsonArray([.. state.SetAside.Take(10).Select(file => JsonValue.Create(Path.GetFileName(file)))]) },
            new JsonObject { ["set_aside"] = 1 },
            [$"files set aside = {state.SetAside.Count} >= 1: high"]));

    private static Finding Find(string rule, string threat, EventSubject subject, string title, string description, Evidence evidence) =>
        new(rule, RuleVersion: 1, threat, Severity.High, subject, title, description, evidence, [], EstimatedLossUsd: null);

    private static decimal Seconds(TimeSpan span) => Math.Round((decimal)span.TotalSeconds, 3);

    private static string Time(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
