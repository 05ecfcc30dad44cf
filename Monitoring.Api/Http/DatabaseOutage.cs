using Monitoring.Data.Database;

namespace Monitoring.Api.Http;

/// <summary>Says once that the database cannot be used, and once that it can again: a line per refused request would bury both.</summary>
internal sealed partial class DatabaseOutage(
    SchemaVersions schema, TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<DatabaseOutage> logger)
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(2);

    private long _refused;

    /// <summary>A request failed because of the database.</summary>
    public void Report(Exception fault)
    {
        if (Interlocked.Increment(ref _refused) != 1)
            return;
        LogAway(DatabaseFaults.Describe(fault));
        _ = WaitForItAsync(lifetime.ApplicationStopping);
    }

    private async Task WaitForItAsync(CancellationToken cancellationToken)
    {
        try
        {
            do
                await Task.Delay(AskEvery, clock, cancellationToken);
            while (!await AnswersAsync(cancellationToken));
            LogBack(Interlocked.Exchange(ref _refused, 0));
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Stopping.
        }
        catch (Exception fault)
        {
            LogNotAsked(fault);
            Interlocked.Exchange(ref _refused, 0); // the next request that fails begins anew
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await schema.FindProblemAsync(cancellationToken) is null;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return false;
        }
    }

    [LoggerMessage(
        LogLevel.Warning, "the database cannot be used: {Error}. Requests are answered with 503 until it can; this is said once")]
    private partial void LogAway(string error);

    [LoggerMessage(LogLevel.Error, "whether the database can be used again is not known")]
    private partial void LogNotAsked(Exception fault);

    [LoggerMessage(LogLevel.Information, "the database can be used again; {Refused} requests were answered with 503 meanwhile")]
    private partial void LogBack(long refused);
}
