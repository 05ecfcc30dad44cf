using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording;

/// <summary>
/// How the pipeline fares: which database and journal it uses, what is wrong with them, and which monitors see all the same.
/// </summary>
internal sealed record RecordingState(
    string Database, DatabaseOutage? Outage, string Journal, JournalFault? Fault, IReadOnlyList<string> SetAside, int Waiting,
    IReadOnlyList<string> Seeing)
{
    /// <summary>What somebody did to the journal's files lately.</summary>
    public JournalIncident? Incident { get; init; }
}

/// <summary>The rules of the pipeline's health: what keeps results from being stored is itself an event.</summary>
internal static class RecordingHealthRules
{
    /// <summary>Whether the subject of this rule is a journal: a folder of one machine.</summary>
    public static bool IsOfJournal(string rule) =>
        rule == EngineRules.JournalUnwritable.Id || rule == EngineRules.JournalFull.Id || rule == EngineRules.JournalSetAside.Id
        || rule == EngineRules.JournalDisplaced.Id;

    /// <summary>One finding per thing that is wrong.</summary>
    public static IReadOnlyList<Finding> Evaluate(RecordingState state, DateTimeOffset now)
    {
        var findings = new List<Finding>();
        if (state.Outage is { } outage)
            findings.Add(Away(state, outage, now));
        if (state.Fault is { } fault)
            findings.Add(Unwritable(state, fault, now));
        if (state.Incident is { } incident)
            findings.Add(Displaced(state, incident));
        if (state.SetAside.Count > 0)
            findings.Add(SetAside(state));
        return findings;
    }

    private static Finding Away(RecordingState state, DatabaseOutage outage, DateTimeOffset now)
    {
        var seconds = Seconds(now - outage.Since);
        return EngineRules.DatabaseAway.Find(Severity.High, new EventSubject("database", state.Database), "The database takes no results",
            $"Since {Time(outage.Since)} the database {state.Database} takes no results: {outage.Error}. "
            + $"They wait in the journal {state.Journal} and are stored when it is back.",
            new Evidence(
                new JsonObject
                {
                    ["database"] = state.Database, ["since"] = Time(outage.Since), ["away_seconds"] = seconds,
                    ["waiting"] = state.Waiting, ["error"] = outage.Error,
                },
                new JsonObject { ["waiting"] = 1 },
                [$"results that the database did not take = {state.Waiting} for {seconds:0.#} s: high"])) with { Covers = state.Seeing };
    }

    private static Finding Unwritable(RecordingState state, JournalFault fault, DateTimeOffset now) =>
        (fault.Full ? EngineRules.JournalFull : EngineRules.JournalUnwritable).Find(
            Severity.High, new EventSubject("journal", state.Journal), fault.Full ? "The journal is full" : "The journal cannot be written",
        $"Since {Time(fault.Since)} the journal takes no results: {fault.Error}. "
        + $"While the database is away too, the newest {RecordingQueue.Capacity} stay in memory and are lost with the process.",
        new Evidence(
            new JsonObject
            {
                ["journal"] = state.Journal, ["since"] = Time(fault.Since), ["faulty_seconds"] = Seconds(now - fault.Since),
                ["waiting"] = state.Waiting, ["error"] = fault.Error,
            },
            new JsonObject { ["in_memory_at_most"] = RecordingQueue.Capacity },
            [$"the newest record was not written: {fault.Error}: high"]));

    private static Finding Displaced(RecordingState state, JournalIncident incident)
    {
        var severity = incident.Missing > 0 ? Severity.Critical : Severity.High;
        return EngineRules.JournalDisplaced.Find(severity, new EventSubject("journal", state.Journal),
            incident.Missing > 0 ? $"{incident.Missing} results may be missing from the journal"
                : "The journal's files were moved or removed",
            $"At {Time(incident.At)}: {incident.What}. It was made again: {incident.Rescued} records that wait for the database were "
            + $"written there, {incident.Missing} could not be read any more and may be missing.",
            new Evidence(
                new JsonObject
                {
                    ["journal"] = state.Journal, ["at"] = Time(incident.At), ["what"] = incident.What, ["rescued"] = incident.Rescued,
                    ["missing"] = incident.Missing,
                },
                new JsonObject { ["missing"] = 1 },
                [$"records that may be missing = {incident.Missing}: {(incident.Missing > 0 ? "critical" : "high")}"]),
            threshold: incident.Missing > 0 ? 1 : null);
    }

    private static Finding SetAside(RecordingState state) => EngineRules.JournalSetAside.Find(
        Severity.High, new EventSubject("journal", state.Journal), $"{state.SetAside.Count} records could not be stored",
        "They were damaged on the disk, or the database refuses them for their content. They are kept in files of their own, and all "
        + "others were stored. Look at the files, then take them away: "
        + string.Join(", ", state.SetAside.Take(10).Select(Path.GetFileName)),
        new Evidence(
            new JsonObject
            {
                ["journal"] = state.Journal, ["set_aside"] = state.SetAside.Count,
                ["files"] = new JsonArray([.. state.SetAside.Take(10).Select(file => JsonValue.Create(Path.GetFileName(file)))]),
            },
            new JsonObject { ["set_aside"] = 1 },
            [$"files set aside = {state.SetAside.Count} >= 1: high"]), threshold: 1);

    private static decimal Seconds(TimeSpan span) => Math.Round((decimal)span.TotalSeconds, 3);

    private static string Time(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
