using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using Monitoring.Api.Http;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Supervision;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Monitoring.Api.Security;

/// <summary>A change of an event, and the event as it is now; null when it is no longer kept.</summary>
public sealed record EventChangeMessage(SecurityEventChangeView Change, SecurityEventView? Event);

/// <summary>A change as it goes out: the bytes of its server-sent event.</summary>
internal sealed record FeedItem(long Seq, byte[] Bytes);

/// <summary>How often the database was put back while it was followed, and its newest number the last time.</summary>
internal sealed record FeedReset(int Count, long Newest);

/// <summary>
/// Follows the changes of all events once for the whole process, woken by the database and, should a word be lost, by a poll. The
/// newest are kept as bytes for all streams together; who is further behind reads the table, so nobody's slowness costs memory.
/// </summary>
internal sealed partial class ChangeFeed(
    SecurityEventChanges changes, SecurityEvents events, ChannelListener listener, IOptions<JsonOptions> json,
    Supervisor supervisor, TimeProvider clock, ILogger<ChangeFeed> logger)
    : SupervisedService(supervisor)
{
    private const int KeptItems = 512;
    private const int BatchItems = 100;
    private const int MaxReaders = 4; // connections that all streams together may use
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _reading = new(MaxReaders);
    private readonly Queue<FeedItem> _newest = new(KeptItems);
    private readonly Channel<bool> _wake = System.Threading.Channels.Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private TaskCompletionSource _moved = New();
    private long? _from; // everything after this number up to the newest read is in _newest
    private long _to;
    private (Guid EventId, DateTimeOffset ChangedAt)? _last; // the change of number _to; null where that is not kept

    /// <summary>How many streams are open.</summary>
    public int Streams;

    /// <summary>Whether the last look at the database succeeded.</summary>
    public bool IsAvailable { get; private set; } = true;

    /// <summary>Whether a position that was taken earlier still means the same changes: it does while this is the same.</summary>
    public FeedReset Reset { get; private set; } = new(0, 0);

    /// <summary>
    /// Ends when there are new changes, or <see cref="IsAvailable"/> or <see cref="Reset"/> changes. To miss none,
    /// take it before you read.
    /// </summary>
    internal Task Moved
    {
        get
        {
            lock (_lock)
                return _moved.Task;
        }
    }

    /// <summary>The next changes after a number, in order; empty when there are none yet.</summary>
    public async Task<IReadOnlyList<FeedItem>> ReadAfterAsync(long seq, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_from is { } from && seq >= from)
                return seq >= _to ? [] : [.. _newest.Where(item => item.Seq > seq).Take(BatchItems)];
        }

        await _reading.WaitAsync(cancellationToken);
        try
        {
            return await ToItemsAsync(await changes.ListAfterAsync(seq, BatchItems, cancellationToken), cancellationToken);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>
    /// The newest number: the one read last, where that is not below <paramref name="atLeast"/>, else the database's. From then on it is
    /// known whether the database is put back.
    /// </summary>
    public async Task<long> FindNewestSeqAsync(long atLeast, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (IsAvailable && _from is not null && _to >= atLeast)
                return _to;
        }

        await _reading.WaitAsync(cancellationToken);
        try
        {
            return await BeginAsync(cancellationToken);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _reading.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("event feed", FollowAsync), new("listener of the event feed", ListenAsync)];

    private async Task<TimeSpan?> FollowAsync(CancellationToken stopping)
    {
        try
        {
            while (await StepAsync(stopping))
            {
            }

            SetAvailable(true);
        }
        catch (Exception fault) when (!stopping.IsCancellationRequested)
        {
            if (IsAvailable)
                LogAway(DatabaseFaults.Describe(fault));
            SetAvailable(false);
            if (!DatabaseFaults.Covers(fault))
                throw; // one bad row must not end the service
        }

        await WaitForWordAsync(IsAvailable ? Poll : Retry, stopping);
        return TimeSpan.Zero;
    }

    private async Task<TimeSpan?> ListenAsync(CancellationToken stopping)
    {
        try
        {
            await listener.ListenAsync(SecurityEventChanges.Channel, () => _wake.Writer.TryWrite(true), stopping);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            LogDeaf(DatabaseFaults.Describe(fault));
        }

        return Retry;
    }

    // True while there may be more.
    private async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        if (_from is null)
            await BeginAsync(cancellationToken);

        // The last one again, because it tells a database that was put back from one where nothing happened.
        var rows = await changes.ListAfterAsync(_to - 1, BatchItems + 1, cancellationToken);
        if (await WasPutBackAsync(rows, cancellationToken))
        {
            await BeginAnewAsync(cancellationToken);
            return true;
        }

        var items = await ToItemsAsync([.. rows.Where(row => row.Seq > _to)], cancellationToken);
        if (rows.Count > 0)
            _last = (rows[^1].EventId, rows[^1].ChangedAt);
        if (items.Count == 0)
            return false;
        lock (_lock)
        {
            foreach (var item in items)
            {
                _newest.Enqueue(item);
                _to = item.Seq;
            }

            while (_newest.Count > KeptItems)
                _from = _newest.Dequeue().Seq;
        }

        Announce();
        return items.Count >= BatchItems;
    }

    // Whoever comes first, a stream or the feed itself, says from where changes are followed. Answers the newest number.
    private async Task<long> BeginAsync(CancellationToken cancellationToken)
    {
        var newest = await changes.FindNewestAsync(cancellationToken);
        lock (_lock)
            if (_from is null)
                Start(newest);
        return newest.Seq;
    }

    // Under the lock.
    private void Start(NewestChange newest)
    {
        _newest.Clear();
        (_from, _to) = (newest.Seq, newest.Seq);
        _last = newest is { EventId: { } id, ChangedAt: { } at } ? (id, at) : null;
    }

    // After a restore, or a fail-over to a standby that is behind: the last number read is not there, or is another change.
    private async Task<bool> WasPutBackAsync(IReadOnlyList<SecurityEventChange> rows, CancellationToken cancellationToken) => rows switch
    {
        [] => (await changes.FindNewestAsync(cancellationToken)).Seq < _to,
        [var first, ..] => first.Seq == _to && _last is { } last && last != (first.EventId, first.ChangedAt),
    };

    private async Task BeginAnewAsync(CancellationToken cancellationToken)
    {
        var newest = await changes.FindNewestAsync(cancellationToken);
        LogPutBack(_to, newest.Seq);
        lock (_lock)
        {
            Start(newest);
            Reset = new FeedReset(Reset.Count + 1, newest.Seq);
        }

        Announce();
    }

    private async Task<IReadOnlyList<FeedItem>> ToItemsAsync(IReadOnlyList<SecurityEventChange> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return [];
        var found = (await events.ListByIdAsync([.. rows.Select(row => row.EventId).Distinct()], cancellationToken)).ToDictionary(
            row => row.EventId, SecurityEventView.Of);
        return [.. rows.Select(row => new FeedItem(row.Seq, ServerSentEvent.Write(row.Seq, SnakeCase.Of(row.Kind),
            JsonSerializer.SerializeToUtf8Bytes(
                new EventChangeMessage(SecurityEventChangeView.Of(row), found.GetValueOrDefault(row.EventId)),
                json.Value.SerializerOptions))))];
    }

    private async Task WaitForWordAsync(TimeSpan atMost, CancellationToken stopping)
    {
        try
        {
            await _wake.Reader.WaitToReadAsync(stopping).AsTask().WaitAsync(atMost, clock, stopping);
        }
        catch (TimeoutException)
        {
            // nobody called; look all the same
        }

        _wake.Reader.TryRead(out _);
    }

    private void SetAvailable(bool available)
    {
        if (IsAvailable == available)
            return;
        IsAvailable = available;
        Announce();
    }

    private void Announce()
    {
        TaskCompletionSource moved;
        lock (_lock)
            (moved, _moved) = (_moved, New());
        moved.SetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Warning, "The changes of events cannot be followed: {Error}")]
    private partial void LogAway(string error);

    [LoggerMessage(LogLevel.Warning, "The database was put back: change {Seen} was read, and the newest is {Newest}. Streams begin anew")]
    private partial void LogPutBack(long seen, long newest);

    [LoggerMessage(LogLevel.Information, "New changes of events are found by polling for now: {Error}")]
    private partial void LogDeaf(string error);
}
