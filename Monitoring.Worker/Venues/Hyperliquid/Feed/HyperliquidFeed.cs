using System.Net.WebSockets;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>
/// Listens to the venue's websocket beside polling, so that a check need not wait for its grid time. It only triggers
/// checks; what they find comes from the venue's answers, so whatever goes wrong here costs time and nothing else.
/// </summary>
internal sealed partial class HyperliquidFeed(
    FeedOptions options, FeedPlan plan, FeedState state, IServiceProvider services, Supervisor supervisor, TimeProvider clock,
    ILogger<HyperliquidFeed> logger)
    : SupervisedService(supervisor)
{
    /// <summary>How long it may take to connect.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    private readonly ConnectionPacing _pacing = new(clock, Random.Shared.NextDouble);
    private string? _lastReason;

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("live feed", RunOnceAsync)];

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        LogStopped(state.ToString());
    }

    private async Task<TimeSpan?> RunOnceAsync(CancellationToken stopping)
    {
        state.SetDown(clock.GetUtcNow());
        await Task.Delay(_pacing.Delay(), clock, stopping);
        var begin = clock.GetUtcNow();
        try
        {
            var reason = await ConnectAndRunAsync(stopping);
            // Once when it breaks; while it stays down for the same cause that is not news.
            LogDown(state.IsUp || reason != _lastReason ? LogLevel.Warning : LogLevel.Debug, reason);
            _lastReason = reason;
            return TimeSpan.Zero;
        }
        finally
        {
            var now = clock.GetUtcNow();
            _pacing.Ended(now - begin);
            state.SetDown(now);
        }
    }

    /// <summary>Connects once and sees that it works: for <c>--check</c>. Answers what is wrong, or null.</summary>
    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        using var socket = new FeedSocket();
        try
        {
            await socket.ConnectAsync(options.Url, cancellationToken);
            await socket.SendAsync("""{"method":"ping"}""", cancellationToken);
            while (await socket.ReceiveAsync(cancellationToken) is var message)
            {
                if (message.Kind == FeedMessageKind.Closed)
                    return "the venue closed the connection";
                if (message.Kind == FeedMessageKind.Text && FeedFrame.Read(message.Text) is FeedFrame.Pong)
                    break;
            }

            await socket.CloseAsync(cancellationToken);
            return null;
        }
        catch (Exception fault) when (fault is WebSocketException or IOException or System.Text.Json.JsonException)
        {
            return fault.Message;
        }
    }

    private async Task<string> ConnectAndRunAsync(CancellationToken stoppingToken)
    {
        IReadOnlyList<FeedSubscription> wanted;
        try
        {
            wanted = await plan.ReadAsync(stoppingToken);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
        {
            return $"what to subscribe to cannot be read: {fault.Message}";
        }

        using var socket = services.GetRequiredService<FeedSocket>();
        if (await TryConnectAsync(socket, stoppingToken) is { } problem)
            return problem;
        state.CountConnection();
        return await ActivatorUtilities.CreateInstance<FeedSession>(services, socket).RunAsync(wanted, stoppingToken);
    }

    private async Task<string?> TryConnectAsync(FeedSocket socket, CancellationToken stoppingToken)
    {
        using var deadline = new CancellationTokenSource(ConnectTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stoppingToken);
        _pacing.Attempt();
        try
        {
            await socket.ConnectAsync(options.Url, either.Token);
            return null;
        }
        catch (Exception fault) when (fault is WebSocketException or IOException or HttpRequestException)
        {
            return $"cannot connect to {options.Url}: {fault.Message}";
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            return deadline.IsCancellationRequested
                ? $"cannot connect to {options.Url} within {ConnectTimeout.TotalSeconds:0} s"
                : $"the connection to {options.Url} was given up";
        }
    }

    [LoggerMessage("live feed is down, polling goes on: {Reason}")]
    private partial void LogDown(LogLevel level, string reason);

    [LoggerMessage(LogLevel.Information, "live feed: {State}")]
    private partial void LogStopped(string state);
}
