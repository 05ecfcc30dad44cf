using System.Reflection;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Data.Workers;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Worker.Watching;

/// <summary>
/// Says every few seconds in the database that this process lives. It has a connection of its own and a short deadline, so that nothing
/// that the checks wait for holds it up, and it holds up nothing. An end in good order is said too: who does not say it has vanished.
/// </summary>
internal sealed partial class PulseSender(
    WorkerPulses pulses, WorkerIdentity identity, DatabaseLink link, HostEnd end, Supervisor supervisor, WorkerClock clock,
    ILogger<PulseSender> logger)
    : SupervisedService(supervisor)
{
    private const int LongestVersion = 100;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DeadlineAtTheEnd = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SayAfter = TimeSpan.FromSeconds(30);
    private static readonly string Version = FindVersion();

    private volatile Begun? _begun;
    private long? _failingSince;
    private bool _isSaid;

    // When this process began, as its row says it.
    private sealed record Begun(DateTimeOffset At);

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("pulse", PulseAsync)];

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (end.ExitCode != 0)
            return;
        try
        {
            await DatabaseDeadline.HoldAsync(async token =>
            {
                await pulses.StopAsync(identity.Name, _begun?.At, token);
                return true;
            }, DeadlineAtTheEnd, cancellationToken);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault) || cancellationToken.IsCancellationRequested)
        {
            LogNotSent(fault.Message);
        }
    }

    private async Task<TimeSpan?> PulseAsync(CancellationToken stopping)
    {
        var begunAt = clock.GetTimestamp();
        try
        {
            await DatabaseDeadline.HoldAsync(SendAsync, Deadline, stopping);
            NoteSent();
            return Every - clock.GetElapsedTime(begunAt);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            NoteFault(fault);
            return RetryAfter;
        }
    }

    private async Task<bool> SendAsync(CancellationToken cancellationToken)
    {
        if (_begun is not { } begun || !await pulses.PulseAsync(identity.Name, begun.At, cancellationToken))
            _begun = new Begun(await pulses.BeginAsync(identity.Name, Version, clock.Running, cancellationToken));
        return true;
    }

    private void NoteSent()
    {
        if (_isSaid)
            LogSeen();
        (_failingSince, _isSaid) = (null, false);
    }

    // An outage, or a schema that is to come, others say; that the pulse alone cannot be written is said here, and once.
    private void NoteFault(Exception fault)
    {
        LogNotSent(DatabaseFaults.Describe(fault));
        if (link.IsAway || DatabaseFaults.Find(fault) is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable })
            _failingSince = null;
        else if (clock.GetElapsedTime(_failingSince ??= clock.GetTimestamp()) >= SayAfter && !_isSaid)
        {
            _isSaid = true;
            LogUnseen(DatabaseFaults.Describe(fault));
        }
    }

    // With the commit that it was built from, where that is known.
    private static string FindVersion()
    {
        var assembly = typeof(PulseSender).Assembly;
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? assembly.GetName().Version?.ToString() ?? "unknown";
        return version.Length <= LongestVersion ? version : version[..LongestVersion];
    }

    /// <summary>What sending consists of.</summary>
    public static void AddTo(IServiceCollection services)
    {
        const string own = "pulse";
        services.AddKeyedSingleton(own, (provider, _) =>
            new DatabaseConnections(provider.GetRequiredService<DatabaseOptions>().WithOneConnection(Deadline)));
        services.AddSingleton(provider => HostEnd.Of(provider));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<PulseSender>(
            provider, new WorkerPulses(provider.GetRequiredKeyedService<DatabaseConnections>(own))));
        services.AddHostedService(provider => provider.GetRequiredService<PulseSender>());
    }

    [LoggerMessage(LogLevel.Debug, "the pulse of this worker is not written: {Error}")]
    private partial void LogNotSent(string error);

    [LoggerMessage(LogLevel.Warning, "the pulse of this worker cannot be written, so the read service will say that it does not report; "
        + "checks and messages go on: {Error}")]
    private partial void LogUnseen(string error);

    [LoggerMessage(LogLevel.Information, "the pulse of this worker is written again")]
    private partial void LogSeen();
}
