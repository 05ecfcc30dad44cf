using Monitoring.Data.Checks;
using Monitoring.Data.Events;

namespace Monitoring.Data.Rules;

/// <summary>The engine's own rules: whether it can see, store and notify.</summary>
public static class EngineRules
{
    private const string Watchdog = "watchdog";
    private const string Recorder = "recorder";
    private const string JournalFault = "journal_fault";

    /// <summary>After so many intervals without a success a monitor is blind.</summary>
    public static readonly RuleThreshold StaleIntervals =
        new("intervals", null, MonitorFreshness.StaleIntervals, "x", "intervals without a successful check on the grid");

    /// <summary>But not before so long.</summary>
    public static readonly RuleThreshold StaleSeconds =
        new("limit_seconds", null, MonitorFreshness.StaleAtLeastSeconds, "s", "at least so long");

    /// <summary>How long a message that was given up keeps its channel's event open.</summary>
    public static readonly RuleThreshold UndeliveredWindow =
        new("window_seconds", null, 3600, "s", "how far back messages that were given up count");

    /// <summary>How long a part of the worker may fail.</summary>
    public static readonly RuleThreshold LoopFailsSeconds = new("limit_seconds", null, 60, "s", "time without a round that succeeded");

    /// <summary>From so far apart on clocks are off.</summary>
    public static readonly RuleThreshold ClockOffSeconds =
        new("off_seconds", null, 5, "s", "difference to another clock from which on it is said");

    /// <summary>From so far apart on one of them is wrong.</summary>
    public static readonly RuleThreshold ClockWrongSeconds =
        new("wrong_seconds", null, (int)StoredTimes.Tolerance.TotalSeconds, "s", "difference from which on the database's time is taken");

    /// <summary>A monitor, or a part of it, that cannot see.</summary>
    public static readonly Rule Stale = new("monitor.stale", 1, "A monitor is blind", Watchdog,
        "age of the newest successful check on the grid, by any worker >= max(intervals * interval, limit). A monitor that has never "
        + "succeeded counts from the worker's start. A success as far in the future counts as well: a clock was set back. A part of a "
        + "monitor, such as one account, is judged alike while its other parts are seen.",
        [StaleIntervals, StaleSeconds],
        [new(Severity.High, "monitor_stale", "the age reaches the limit")],
        EventLifetime.Condition,
        "The ledger check_runs and this worker's own checks; three missed intervals are more than one slow answer, a minute more than one "
        + "restart.",
        "Read the newest fault in the event: a source that does not answer, a worker that was stopped, or a network between them. "
        + "Nothing is known of what the monitor watches until it sees again, so look at the source itself meanwhile.")
    {
        Measure = new("age_seconds", "s") { IsAge = true },
    };

    /// <summary>Clocks that should agree do not.</summary>
    public static readonly Rule ClockOff = new("clock.off", 1, "A clock is wrong", Watchdog,
        "|this machine's clock - another's| within the last two minutes, less what the other's answer leaves open (half the time it was "
        + "under way; half a second more for a source, whose answers count whole seconds). Others are the database's clock and those of "
        + "the sources that are read. From wrong_seconds on results are stored under the grid time of the database's clock and marked "
        + "(check_runs.clock_offset_seconds), and no partition is dropped.",
        [ClockOffSeconds, ClockWrongSeconds],
        [
            new(Severity.Medium, "monitor_stale", "the difference to any of them reaches off_seconds"),
            new(Severity.High, "monitor_stale", "the difference to any of them reaches wrong_seconds"),
        ],
        EventLifetime.Condition,
        "The database's clock, asked every five seconds and reckoned on while the database is away; the header Date of the "
        + "sources' answers.",
        "Look at the time synchronisation of the machine that the event names (timedatectl, chronyc tracking), then at the database's. "
        + "Where only one source differs, it is that one.")
    {
        Measure = new("ahead_seconds", "s", WorseWhen.Farther),
    };

    /// <summary>The database takes no results.</summary>
    public static readonly Rule DatabaseAway = new("database.away", 1, "The database takes no results", Recorder,
        "a result could not be written and was put into the journal", [],
        [new(Severity.High, "database_unavailable", "from the first result on that the database did not take")],
        EventLifetime.Condition, "The recorder's own writes, each tried again before it counts.",
        "Bring the database back; what waits in the journal is then stored in order. Critical findings and this one are notified "
        + "meanwhile. Watch the journal's disk.")
    {
        Inhibits = [Stale.Id],
        Measure = new("away_seconds", "s") { IsAge = true },
    };

    /// <summary>The journal cannot be written.</summary>
    public static readonly Rule JournalUnwritable = new("journal.unwritable", 1, "The journal cannot be written", Recorder,
        "writing the newest record to the journal failed", [],
        [new(Severity.High, JournalFault, "as long as the newest record could not be written")],
        EventLifetime.Condition, "The journal's own writes, synchronised to the disk.",
        "Look at the folder JOURNAL_PATH: its disk, its owner, its file system. While the database is away too, results are kept in "
        + "memory only.")
    {
        Measure = new("faulty_seconds", "s") { IsAge = true },
    };

    /// <summary>The journal is full.</summary>
    public static readonly Rule JournalFull = new("journal.full", 1, "The journal is full", Recorder,
        "the journal has reached JOURNAL_MAX_BYTES, or its disk is full", [],
        [new(Severity.High, JournalFault, "as long as the newest record found no room")],
        EventLifetime.Condition, "The journal's own writes.",
        "Bring the database back so that the journal empties, or give it more room (JOURNAL_MAX_BYTES, a larger disk).")
    {
        Measure = new("faulty_seconds", "s") { IsAge = true },
    };

    /// <summary>Somebody took the journal's files away.</summary>
    public static readonly Rule JournalDisplaced = new("journal.displaced", 1, "The journal's files are not where they were", Recorder,
        "a file of the journal is not the one that its name leads to (device and inode are compared after each write), or was cut, within "
        + "the last ten minutes", [],
        [
            new(Severity.High, JournalFault, "all that waits could be written again, from the open files or from memory"),
            new(Severity.Critical, JournalFault, "records that wait could not be read any more"),
        ],
        EventLifetime.Condition, "The journal's folder, looked at with each record.",
        "Find out what removes, moves or restores the folder JOURNAL_PATH while a worker runs. What somebody has put there is set aside, "
        + "beside the journal. The event names how many results may be missing; each has a gap in the ledger.")
    {
        Measure = new("missing", "") { Counts = "missing results" },
    };

    /// <summary>Records that could not be stored were set aside.</summary>
    public static readonly Rule JournalSetAside = new("journal.set-aside", 1, "Records could not be stored", Recorder,
        "files set aside in the journal's folder >= 1: damaged on the disk, or refused by the database for their content", [],
        [new(Severity.High, JournalFault, "as long as such a file is there")],
        EventLifetime.Condition, "The files beside the journal.",
        "Look at the files that the event names; they hold results as JSON. Take them away when you have seen to them, and the event "
        + "ends.")
    {
        Measure = new("set_aside", "") { Counts = "files" },
    };

    /// <summary>A channel loses messages.</summary>
    public static readonly Rule Undelivered = new("notification.dead", 1, "Messages to a channel are lost", Watchdog,
        "messages to the channel that were given up within the window >= 1", [UndeliveredWindow],
        [new(Severity.High, "notification_undelivered", "a message was given up within the window")],
        EventLifetime.Condition, "The outbox. The channel itself is not asked to notify of it, the others are.",
        "Run Monitoring.Worker notify test CHANNEL, and mend what it says: an address that is gone, a key that was revoked.")
    {
        Measure = new("dead", "") { Counts = "lost messages" },
    };

    /// <summary>A part of the worker fails again and again.</summary>
    public static readonly Rule LoopFails = new("worker.failing", 1, "A part of the worker fails", Watchdog,
        "time since the first of a loop's failures in a row >= limit, whatever its rounds throw", [LoopFailsSeconds],
        [new(Severity.High, "worker_fault", "the limit is reached")],
        EventLifetime.Condition,
        "The worker's own loops: recording, sending, the live feed, partitions and so on. A failed round is tried again after 1 to 10 s; "
        + "what fails because the database is known to be away does not count.",
        "Read the newest fault in the event and the worker's log of that time. The other parts go on; a restart may help, a defect is to "
        + "be reported.")
    {
        Measure = new("failing_seconds", "s") { IsAge = true },
    };

    /// <summary>Stored rows cannot be read.</summary>
    public static readonly Rule Unreadable = new("database.unreadable", 1, "Stored rows cannot be read", Watchdog,
        "rows of a table that this worker met and could not read >= 1: a time without end, a number beyond every type", [],
        [new(Severity.High, "database_unavailable", "as long as such a row was met last")],
        EventLifetime.Condition, "The worker's own reads. Each such row is left out; the others are read.",
        "Mend or remove the rows that the event names: no program of ours writes such values. An open event among them was closed, so that "
        + "what it stood for is told anew.")
    {
        Measure = new("rows", "") { Counts = "rows" },
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Rule> All { get; } =
    [
        Stale, ClockOff, DatabaseAway, JournalUnwritable, JournalFull, JournalSetAside, JournalDisplaced, Undelivered, LoopFails,
        Unreadable,
    ];
}
