using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Monitoring.Benchmarks.Faults;

/// <summary>A check whose result the worker said it keeps.</summary>
internal sealed record KeptCheck(string Monitor, DateTimeOffset ScheduledAt, bool Succeeded);

/// <summary>The real worker as a process. What it says goes to a file; what it says it keeps is counted.</summary>
internal sealed partial class WorkerProcess : IDisposable
{
    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly Action<KeptCheck> _onKept;
    private readonly Task _reading;
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WorkerProcess(Process process, StreamWriter log, Action<KeptCheck> onKept)
    {
        (_process, _log, _onKept) = (process, log, onKept);
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>Ends when the first result of this process is kept, or when it has ended.</summary>
    public Task FirstKept => Task.WhenAny(_first.Task, _reading);

    public bool HasExited => _process.HasExited;

    public int Id => _process.Id;

    public static WorkerProcess Start(IReadOnlyDictionary<string, string> settings, string logFile, Action<KeptCheck> onKept)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Repository.Program("Monitoring.Worker") }, UseShellExecute = false,
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys
            .Where(name => name.StartsWith("DATABASE", StringComparison.Ordinal) || name.EndsWith("_URL", StringComparison.Ordinal))
            .ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        return new WorkerProcess(Process.Start(start)!, new StreamWriter(logFile, append: true) { AutoFlush = true }, onKept);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
        await _reading;
    }

    /// <summary>SIGTERM, as systemd does; answers the exit code.</summary>
    public async Task<int> TerminateAsync(CancellationToken cancellationToken)
    {
        using (var kill = Process.Start("kill", $"-TERM {_process.Id}"))
            await kill.WaitForExitAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        await _reading;
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        _log.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_log)
                _log.WriteLine(line);
            if (Kept.Match(line) is not { Success: true } match)
                continue;
            _onKept(new KeptCheck(match.Groups["monitor"].Value,
                DateTimeOffset.Parse(match.Groups["at"].Value, CultureInfo.InvariantCulture),
                match.Groups["outcome"].Value == "Succeeded"));
            _first.TrySetResult();
        }
    }

    [GeneratedRegex(@" debug +CheckRunner: (?<monitor>[a-z-]+): the result of (?<at>\S+) is kept \((?<outcome>\w+)\)$",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Kept { get; }
}
