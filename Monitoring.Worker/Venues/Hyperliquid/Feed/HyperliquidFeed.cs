using System.Net.WebSockets;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>
/// Listens to the venue's websocket beside polling, so that a check need not wait for its grid time. It only triggers
/// checks; what they find comes from the venue's answers, so whatever goes wrong here costs time and nothing else.
/// </summary>
internal sealed partial class HyperliquidFeed(
    FeedOptions options, FeedPlan plan, FeedState state, IServiceProvider services, TimeProvider clock, ILogger<HyperliquidFeed> logger)
    : BackgroundService
{
    /// <summary>How long it may take to connect.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    private readonly ConnectionPacing _pacing = new(clock, Random.Shared.NextDouble);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        state.SetDown(clock.GetUtcNow());
        string? lastReason = null;
        try
        {
            while (true)
            {
                await Task.Delay(_pacing.Delay(), clock, stoppingToken);
                var begin = clock.GetUtcNow();
                var reason = await ConnectAndRunAsync(stoppingToken);
                var (now, wasUp) = (clock.GetUtcNow(), state.IsUp);
                _pacing.Ended(now - begin);
                state.SetDown(now);
                // Once when it breaks; while it stays down for the same cause that is not news.
                LogDown(wasUp || reason != lastReason ? LogLevel.Warning : LogLevel.Debug, reason);
                lastReason = reason;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped(state.ToString());
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

        using var socket = new FeedSocket();
        if (await TryConnectAsync(socket, stoppingToken) is { } problem)
            return problem;
        state.CountConnection();
        try
        {
            return await ActivatorUtilities.CreateInstance<FeedSession>(services, socket).RunAsync(wanted, stoppingToken);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            LogDefect(fault);
            return $"a defect of this program, {fault.GetType().Name}: {fault.Message}";
        }
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
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !stoppingToken.IsCancellationRequested)
        {
            return $"cannot connect to {options.Url} within {ConnectTimeout.TotalSeconds:0} s";
        }
    }

    [LoggerMessage("live feed is down, polling goes on: {Reason}")]
    private partial void LogDown(LogLevel level, string reason);

    [LoggerMessage(LogLevel.Error, "the live feed ended by a defect of this program")]
    private partial void LogDefect(Exception fault);

    [LoggerMessage(LogLevel.Information, "live feed: {State}")]
    private partial void LogStopped(string state);
}
