using Monitoring.Data.Supervision;
using Monitoring.Worker.Http;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Watching;

/// <summary>
/// A dead man's switch: requests an address once a minute while the data of every essential monitor is fresh. Whoever listens there raises
/// the alarm when the requests end, also when this machine does.
/// </summary>
internal sealed partial class Heartbeat(
    MonitorHealth health, WatchdogOptions options, IHttpClientFactory http, Supervisor supervisor, TimeProvider clock,
    ILogger<Heartbeat> logger)
    : SupervisedService(supervisor)
{
    /// <summary>Name of the configured <see cref="HttpClient"/>.</summary>
    public const string ClientName = "heartbeat";

    /// <summary>How often it beats.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private const int MostOfAnswer = 4096;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private bool _isDue; // the first beat comes when the first checks have had their time

    /// <summary>
    /// Requests the address if all is fresh. Answers whether it was requested and said yes; never throws for what it finds there.
    /// </summary>
    public async Task<bool> TryBeatAsync(CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var now = clock.GetUtcNow();
            var blind = (await health.ReadAsync(now, either.Token))
                .Where(state => state.Monitor.IsEssential && (state.LastSuccessAt is null || WatchdogRules.IsStale(state, now))).ToList();
            if (blind.Count > 0)
            {
                LogWithheld(string.Join(", ", blind.Select(state => state.Monitor.Name)));
                return false;
            }

            using var client = http.CreateClient(ClientName);
            using var answer = await client.GetAsync(options.HeartbeatUrl, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var said = await HttpAnswers.ReadBeginningAsync(answer, MostOfAnswer, either.Token);
            var problem = SourceHttp.FindRedirect(answer)
                ?? (!answer.IsSuccessStatusCode ? $"HTTP {(int)answer.StatusCode}"
                    : HttpAnswers.IsPage(said) ? "what answers there is a page for people, such as a sign-in page"
                    : null);
            if (problem is not null)
                LogFailed(problem);
            return problem is null;
        }
        catch (HttpRequestException fault)
        {
            LogFailed(AddressSecrets.Strike(fault.Message, options.HeartbeatUrl!));
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed($"no answer within {Deadline.TotalSeconds:0} s");
            return false;
        }
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("heartbeat", BeatAsync)];

    private async Task<TimeSpan?> BeatAsync(CancellationToken stopping)
    {
        var begun = clock.GetTimestamp();
        if (_isDue)
            await TryBeatAsync(stopping);
        _isDue = true;
        return Every - clock.GetElapsedTime(begun);
    }

    [LoggerMessage(LogLevel.Warning, "no heartbeat is sent: no recent successful check of {Monitors}")]
    private partial void LogWithheld(string monitors);

    [LoggerMessage(LogLevel.Warning, "the heartbeat's address could not be reached: {Error}")]
    private partial void LogFailed(string error);
}
