using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Watching;

/// <summary>Compares the clocks every second, so that a step of a few seconds is seen; the database's is asked when that is due.</summary>
internal sealed partial class ClockComparison(
    ClockHealth health, Supervisor supervisor, WorkerClock clock, ILogger<ClockComparison> logger, DatabaseClock? database = null)
    : SupervisedService(supervisor)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private decimal _saidSeconds;

    /// <summary>Compares once; never throws for what it finds.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (database is not null)
                await DatabaseDeadline.HoldAsync(database.AskIfDueAsync, AnswerTimeout, cancellationToken);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            LogNoAnswer(DatabaseFaults.Find(fault) is null ? fault.Message : DatabaseFaults.Describe(fault));
        }

        health.Note();
        var seconds = clock.CorrectionSeconds ?? 0;
        if ((seconds != 0) == (_saidSeconds != 0))
            return;
        _saidSeconds = seconds;
        if (seconds != 0)
            LogCorrected(-seconds);
        else
            LogRight();
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("clock comparison", async stopping =>
    {
        await LookAsync(stopping);
        return Every;
    })];

    [LoggerMessage(LogLevel.Debug, "the database's clock cannot be asked, what is known of it stays: {Error}")]
    private partial void LogNoAnswer(string error);

    [LoggerMessage(LogLevel.Error, "this machine's clock is {Seconds:0.#} s ahead of the database's: results are stored under the "
        + "database's time, and nothing is dropped meanwhile")]
    private partial void LogCorrected(decimal seconds);

    [LoggerMessage(LogLevel.Information, "this machine's clock agrees with the database's again")]
    private partial void LogRight();
}
