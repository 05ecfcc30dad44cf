namespace Monitoring.Benchmarks.Faults;

/// <summary>What a run does to the worker and to what it depends on.</summary>
internal enum FaultKind { Kill, DatabaseStop, Cut, Receiver, SecondWorker, DiskFull, ClockStep, JournalRemoved }

/// <summary>A time in which a fault was at work; for the worker's own death, until its successor kept its first result.</summary>
internal sealed record Disturbance(FaultKind Kind, string? Worker, DateTimeOffset From, DateTimeOffset Until);

/// <content>The faults, each at its drawn moment; those of one kind never overlap, those of different kinds do.</content>
internal sealed partial class FaultRun
{
    private async Task AtMomentsAsync(
        int count, Random random, Func<Random, int, CancellationToken, Task> fault, CancellationToken cancellationToken)
    {
        foreach (var (index, moment) in _options.Moments(count, random).Index())
        {
            if (moment > Elapsed)
                await Task.Delay(moment - Elapsed, TimeProvider.System, cancellationToken);
            await fault(random, index, cancellationToken);
        }
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private Task WaitAsync(double seconds, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, cancellationToken);

    private void Done(FaultKind kind, DateTimeOffset from, string? worker = null)
    {
        _done.AddOrUpdate(kind, 1, (_, count) => count + 1);
        _disturbances.Enqueue(new Disturbance(kind, worker, from, Now));
    }

    // --- the worker

    private static readonly TimeSpan ToTheFirstResult = TimeSpan.FromMinutes(1);

    private async Task StartAsync(WorkerSlot slot, CancellationToken cancellationToken)
    {
        var simulator = _simulator.Urls.First();
        var database = new Npgsql.NpgsqlConnectionStringBuilder(_postgres.Connection.ConnectionString)
        {
            Host = "127.0.0.1", Port = _gate.Port, Timeout = 5,
        };
        var settings = new Dictionary<string, string>
        {
            ["DATABASE_URL"] = database.ConnectionString,
            ["HYPERLIQUID_API_URL"] = simulator, ["Venues__Hyperliquid__WeightPerMinute"] = "1000000",
            ["HLP_CHECK_INTERVAL"] = "2", ["INVENTORY_CHECK_INTERVAL"] = "2", ["LIQUIDATION_CHECK_INTERVAL"] = "2",
            ["ORACLE_CHECK_INTERVAL"] = "2",
            ["Rules__oracle_deviation__FloorFactor"] = "0", // a coin that is attacked often must not become a thin one
            ["WEBHOOK_URL"] = _receiver.Url, ["WEBHOOK_SECRET"] = "of-this-run-only", ["Notifications__GroupWindow"] = "2",
            ["JOURNAL_PATH"] = slot.Disk.JournalPath,
            ["LOG_LEVEL"] = "debug",
        };
        foreach (var source in Simulator.References.ReferenceSources.All)
            settings[$"{source.ToUpperInvariant()}_API_URL"] = simulator;
        foreach (var (name, value) in slot.Clock?.Settings ?? [])
            settings[name] = value;
        slot.Process = WorkerProcess.Start(settings, Path.Combine(_folder, slot.LogName), check => _kept.TryAdd(check, true));
        await Task.WhenAny(slot.Process.FirstKept, Task.Delay(ToTheFirstResult, TimeProvider.System, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        if (!slot.Process.FirstKept.IsCompleted)
            throw new TimeoutException($"the {slot.Name} worker kept no result within {ToTheFirstResult.TotalSeconds:0} s of its start");
        if (slot.Process.HasExited)
            throw new InvalidOperationException($"the {slot.Name} worker ended by itself");
    }

    private async Task StopAsync(WorkerSlot slot, CancellationToken cancellationToken)
    {
        if (slot.Process is not { } process)
            return;
        var from = Now;
        if (await process.TerminateAsync(cancellationToken) is var code && code != 0)
            throw new InvalidOperationException($"the worker ended with {code} on SIGTERM");
        process.Dispose();
        slot.Process = null;
        _disturbances.Enqueue(new Disturbance(FaultKind.SecondWorker, slot.Name, from, Now));
    }

    private async Task RestartAsync(WorkerSlot slot, TimeSpan pause, CancellationToken cancellationToken)
    {
        var from = Now;
        await slot.Process!.KillAsync(cancellationToken);
        slot.Process.Dispose();
        slot.Clock = null;
        await Task.Delay(pause, TimeProvider.System, cancellationToken);
        await StartAsync(slot, cancellationToken);
        Done(FaultKind.Kill, from, slot.Name);
    }

    private async Task KillAsync(Random random, int index, CancellationToken cancellationToken)
    {
        using var turn = await TakeAsync(_workerTurn, cancellationToken);
        var running = _workers.Where(worker => worker.Process is not null).ToList();
        await RestartAsync(running[random.Next(running.Count)], TimeSpan.FromSeconds(random.NextDouble()), cancellationToken);
    }

    private async Task RunSecondWorkerAsync(Random random, int index, CancellationToken cancellationToken)
    {
        var from = Now;
        using (await TakeAsync(_workerTurn, cancellationToken))
            await StartAsync(_workers[1], cancellationToken);
        await WaitAsync(_options.Duration.TotalSeconds * (0.1 + (0.15 * random.NextDouble())), cancellationToken);
        using (await TakeAsync(_workerTurn, cancellationToken))
            await StopAsync(_workers[1], cancellationToken);
        Done(FaultKind.SecondWorker, from);
    }

    private static readonly int[] LargeSteps = [27 * 86400, 7200, -7200, -27 * 86400];

    // Small steps, and in turn large ones. The database is there: a worker that never met it cannot know that its clock is wrong.
    private async Task StepClockAsync(Random random, int index, CancellationToken cancellationToken)
    {
        using var turn = await TakeAsync(_workerTurn, cancellationToken);
        using var databaseTurn = await TakeAsync(_databaseTurn, cancellationToken);
        var clock = new FakeClock(Path.Combine(_folder, "clock"));
        clock.Step(0);
        var slot = _workers[0];
        var from = Now;
        await slot.Process!.KillAsync(cancellationToken);
        slot.Process.Dispose();
        slot.Clock = clock;
        await StartAsync(slot, cancellationToken);
        await WaitAsync(3, cancellationToken);
        clock.Step(index % 2 == 0 ? LargeSteps[random.Next(LargeSteps.Length)] : random.Next(-40, 40));
        await WaitAsync(10, cancellationToken);
        clock.Step(0);
        await WaitAsync(4, cancellationToken);
        Done(FaultKind.ClockStep, from.AddSeconds(-40), slot.Name);
        await RestartAsync(slot, TimeSpan.Zero, cancellationToken);
    }

    // --- what it depends on

    private async Task StopDatabaseAsync(Random random, int index, CancellationToken cancellationToken)
    {
        using var turn = await TakeAsync(_databaseTurn, cancellationToken);
        var from = Now;
        await _postgres.CrashAsync(cancellationToken);
        await WaitAsync(_options.Wide && index == _options.Stops / 2 ? 45 : 0.2 + (5 * random.NextDouble()), cancellationToken);
        await _postgres.RestartAsync(cancellationToken);
        Done(FaultKind.DatabaseStop, from);
    }

    private async Task CutAsync(Random random, int index, CancellationToken cancellationToken)
    {
        using var turn = await TakeAsync(_databaseTurn, cancellationToken);
        var from = Now;
        if (index % 4 == 3)
            _gate.ResetAll();
        else
            await _gate.CutNextCommitAsync((CommitCut)(index % 4), cancellationToken);
        Done(FaultKind.Cut, from);
    }

    private async Task DisturbReceiverAsync(Random random, int index, CancellationToken cancellationToken)
    {
        var from = Now;
        var isLong = _options.Wide && index == 5;
        _receiver.Become(isLong ? ReceiverMode.IsDown : (ReceiverMode)(1 + (index % 5)));
        await WaitAsync(isLong ? 90 : 1 + (4 * random.NextDouble()), cancellationToken);
        _receiver.Become(ReceiverMode.Takes);
        Done(FaultKind.Receiver, from);
    }

    // While neither the database nor the disk takes a result it lives in memory alone, so the worker is not killed
    // until both are back and it has caught up.
    private async Task FillDiskAsync(Random random, int index, CancellationToken cancellationToken)
    {
        using var workerTurn = await TakeAsync(_workerTurn, cancellationToken);
        using var databaseTurn = await TakeAsync(_databaseTurn, cancellationToken);
        var from = Now;
        _workers[0].Disk.Fill();
        await _postgres.CrashAsync(cancellationToken);
        await WaitAsync(4 + (8 * random.NextDouble()), cancellationToken);
        await _postgres.RestartAsync(cancellationToken);
        await WaitAsync(2, cancellationToken);
        _workers[0].Disk.Free();
        var kept = _kept.Keys.ToList();
        var ledger = new FaultLedger(_db, null!, _receiver);
        for (var tries = 0; tries < 120 && await ledger.CountMissingAsync(kept, cancellationToken) > 0; tries++)
            await WaitAsync(0.5, cancellationToken);
        Done(FaultKind.DiskFull, from);
    }

    // What waits is written again to a folder that is made again with the next result, so the worker may be killed after that.
    private async Task RemoveJournalAsync(Random random, int index, CancellationToken cancellationToken)
    {
        using var workerTurn = await TakeAsync(_workerTurn, cancellationToken);
        using var databaseTurn = await TakeAsync(_databaseTurn, cancellationToken);
        var from = Now;
        await _postgres.CrashAsync(cancellationToken);
        await WaitAsync(3 + (3 * random.NextDouble()), cancellationToken);
        _workers[0].Disk.RemoveJournal();
        await WaitAsync(5, cancellationToken);
        await RestartAsync(_workers[0], TimeSpan.Zero, cancellationToken);
        await _postgres.RestartAsync(cancellationToken);
        Done(FaultKind.JournalRemoved, from);
    }

    private static async Task<IDisposable> TakeAsync(SemaphoreSlim semaphore, CancellationToken cancellationToken)
    {
        await semaphore.WaitAsync(cancellationToken);
        return new Turn(semaphore);
    }

    private sealed class Turn(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
