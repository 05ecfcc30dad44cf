using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Simulator;
using Npgsql;

namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// Lets the real worker watch the simulator while everything that it depends on fails at seeded moments, waits until it has caught
/// up, and counts. Between the worker and its PostgreSQL stands a <see cref="TcpGate"/>; its webhook is a <see cref="Receiver"/>.
/// </summary>
internal sealed partial class FaultRun : IAsyncDisposable
{
    private readonly FaultOptions _options;
    private readonly TextWriter _output;
    private readonly string _folder;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<KeptCheck, bool> _kept = [];
    private readonly ConcurrentQueue<Disturbance> _disturbances = [];
    private readonly ConcurrentDictionary<FaultKind, int> _done = [];
    private readonly SemaphoreSlim _workerTurn = new(1);
    private readonly SemaphoreSlim _databaseTurn = new(1);
    private long _began;
    private readonly WorkerSlot[] _workers;

    private PrivatePostgres _postgres = null!;
    private NpgsqlDataSource _db = null!;
    private TcpGate _gate = null!;
    private Receiver _receiver = null!;
    private WebApplication _simulator = null!;

    private FaultRun(FaultOptions options, TextWriter output, string folder)
    {
        (_options, _output, _folder) = (options, output, Directory.CreateDirectory(folder).FullName);
        _workers = [new WorkerSlot("first", new JournalDisk(Path.Combine(_folder, "first"), wanted: options.Wide)),
            new WorkerSlot("second", new JournalDisk(Path.Combine(_folder, "second"), wanted: false))];
    }

    /// <summary>One of the two workers: its process while it runs, and its journal, which outlives the process.</summary>
    private sealed class WorkerSlot(string name, JournalDisk disk)
    {
        public string Name => name;

        public string LogName => $"{name}.log";

        public JournalDisk Disk => disk;

        public WorkerProcess? Process { get; set; }

        public FakeClock? Clock { get; set; }
    }

    private TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_began);

    /// <summary>One whole run. Everything it made is gone afterwards, save for the workers' logs in artifacts/bench.</summary>
    public static async Task<FaultReport> RunAsync(FaultOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        await using var run = new FaultRun(options, output, Path.Combine(Results.Folder, $"faults-{Environment.ProcessId}-{options.Seed}"));
        using var _ = cancellationToken.Register(run._end.Cancel);
        try
        {
            return await run.PlayAsync(run._end.Token);
        }
        catch (Exception)
        {
            run.ShowLogs();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
            worker.Process?.Dispose();
        if (_simulator is not null)
            await _simulator.DisposeAsync();
        if (_receiver is not null)
            await _receiver.DisposeAsync();
        if (_gate is not null)
            await _gate.DisposeAsync();
        if (_db is not null)
            await _db.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        foreach (var worker in _workers)
            worker.Disk.Dispose();
        _end.Dispose();
        _workerTurn.Dispose();
        _databaseTurn.Dispose();
    }

    private async Task<FaultReport> PlayAsync(CancellationToken cancellationToken)
    {
        _output.WriteLine($"seed {_options.Seed}: {_options.Kills} kills, {_options.Stops} database stops, {_options.Cuts} cuts within "
            + $"{_options.Duration.TotalSeconds:0} s; logs in {Path.GetRelativePath(Repository.File("."), _folder)}");
        _postgres = await PrivatePostgres.StartAsync(Path.Combine(_folder, "postgres"), cancellationToken);
        _db = _postgres.Open(pooling: false); // the server dies under whoever keeps a connection
        _gate = new TcpGate("127.0.0.1", _postgres.Connection.Port);
        _receiver = await Receiver.StartAsync(cancellationToken);
        // faults that wait for each other take longer
        var scenario = FaultScenario.Create(_options.Seed, FaultOptions.WarmUp + (_options.Duration * 1.1));
        _simulator = SimulatorApp.Build(new SimulatorOptions(scenario) { WeightLimit = 100_000_000 });
        await _simulator.StartAsync(cancellationToken);
        await StartAsync(_workers[0], cancellationToken);
        _began = TimeProvider.System.GetTimestamp();

        await InjectAsync(cancellationToken);
        var ledger = new FaultLedger(_db, _simulator.Services.GetRequiredService<Venue>(), _receiver);
        var settled = await SettleAsync(ledger, cancellationToken);
        return await ledger.JudgeAsync(
            _options, new Dictionary<FaultKind, int>(_done), [.. _kept.Keys], [.. _disturbances], settled, cancellationToken);
    }

    // The first fault that cannot be injected ends the run, and so does one that takes too long: it says which.
    private async Task InjectAsync(CancellationToken cancellationToken)
    {
        using var running = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var random = new Random(_options.Seed);
        Dictionary<FaultKind, Task> faults = [];
        void Add(FaultKind kind, int count, Func<Random, int, CancellationToken, Task> fault) =>
            faults[kind] = AtMomentsAsync(count, new Random(random.Next()), fault, running.Token);
        Add(FaultKind.Kill, _options.Kills, KillAsync);
        Add(FaultKind.DatabaseStop, _options.Stops, StopDatabaseAsync);
        Add(FaultKind.Cut, _options.Cuts, CutAsync);
        Add(FaultKind.Receiver, (int)(_options.Duration.TotalSeconds / 9), DisturbReceiverAsync);
        Add(FaultKind.SecondWorker, _options.Wide ? 2 : 1, RunSecondWorkerAsync);
        Add(FaultKind.DiskFull, _options.Wide && _workers[0].Disk.CanBeFilled ? 2 : 0, FillDiskAsync);
        Add(FaultKind.ClockStep, _options.Wide && FakeClock.IsThere ? _options.Steps : 0, StepClockAsync);
        Add(FaultKind.JournalRemoved, _options.Removals, RemoveJournalAsync);

        var saying = SayProgressAsync(running.Token);
        var late = Task.Delay(_options.Longest, TimeProvider.System, running.Token);
        while (faults.Values.Where(fault => !fault.IsCompletedSuccessfully).ToList() is { Count: > 0 } left
            && !left.Exists(fault => fault.IsFaulted) && !late.IsCompleted)
            await Task.WhenAny([.. left, late]);
        var unfinished = faults.Where(fault => !fault.Value.IsCompleted).Select(fault => FaultReport.Name(fault.Key)).ToList();
        await running.CancelAsync();
        await saying;
        try
        {
            await Task.WhenAll(faults.Values);
        }
        catch (OperationCanceledException stuck) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"after {Elapsed.TotalSeconds:0} s these faults were still under way: {string.Join(", ", unfinished)}", stuck);
        }
    }

    private void ShowLogs()
    {
        foreach (var log in _workers.Select(worker => Path.Combine(_folder, worker.LogName)).Where(File.Exists))
            _output.WriteLine($"the end of {log}:\n  {string.Join("\n  ", File.ReadLines(log).TakeLast(30))}");
    }

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(30);

    private async Task SayProgressAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(ProgressEvery, TimeProvider.System, cancellationToken);
                _output.WriteLine($"[{Elapsed.TotalSeconds,4:0} s] "
                    + $"{string.Join(", ", _done.OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} {FaultReport.Name(pair.Key)}"))}; "
                    + $"{_kept.Count} checks kept, {_receiver.Messages.Count} requests received");
            }
        }
        catch (OperationCanceledException)
        {
            // the last fault is over
        }
    }

    // The faults are over: both workers, a database and a receiver that work; the second one because it may have been
    // stopped while the database was away, and stores what it had then at its next start. When the scenario is over
    // too, everything must be there within patience.
    private async Task<TimeSpan?> SettleAsync(FaultLedger ledger, CancellationToken cancellationToken)
    {
        _receiver.Become(ReceiverMode.Takes);
        await StartAsync(_workers[1], cancellationToken);
        while (!ledger.IsSceneOver)
            await WaitAsync(0.5, cancellationToken);
        var began = Elapsed;
        while (!await ledger.IsSettledAsync([.. _kept.Keys], cancellationToken))
        {
            if (Elapsed - began > FaultOptions.Patience)
                return null;
            await WaitAsync(0.5, cancellationToken);
        }

        var took = Elapsed - began;
        foreach (var worker in _workers)
            await StopAsync(worker, cancellationToken);
        return took;
    }
}
