using System.Diagnostics;

namespace Monitoring.Tests.CommandLine;

/// <summary>One of the programs as a process of its own.</summary>
internal sealed class ProgramUnderTest : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];

    private readonly string _journal;

    private ProgramUnderTest(Process process, string journal) => (_process, _journal) = (process, journal);

    /// <summary>Starts it with these settings and no others.</summary>
    public static ProgramUnderTest Start(string program, string arguments, params (string Key, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", $"{Repository.Program(program)} {arguments}")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("DATABASE_URL");
        foreach (var source in (string[])["BINANCE", "OKX", "COINBASE", "KRAKEN", "PYTH"])
            start.Environment[$"{source}_API_URL"] = "off"; // no test asks the world outside
        var journal = TestFolder.Create();
        start.Environment["JOURNAL_PATH"] = journal;
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        return new ProgramUnderTest(Process.Start(start)!, journal);
    }

    /// <summary>Runs it to its end: exit code, standard output and errors.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string program, string arguments, params (string Key, string Value)[] environment)
    {
        using var started = Start(program, arguments, environment);
        var errors = started._process.StandardError.ReadToEndAsync();
        var output = await started._process.StandardOutput.ReadToEndAsync();
        await started._process.WaitForExitAsync();
        return (started._process.ExitCode, output, await errors);
    }

    /// <summary>Reads its output up to a line that contains this text.</summary>
    public async Task<string> WaitForLineAsync(string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System); // ends a test that would hang
        while (await _process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            _lines.Add(line);
            if (line.Contains(text))
                return line;
        }

        throw new AssertionException($"'{text}' was not said:\n{string.Join('\n', _lines)}");
    }

    /// <summary>Asks it to stop, as systemd does; answers its exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using (var kill = Process.Start("kill", $"-TERM {_process.Id}"))
            await kill.WaitForExitAsync();
        _lines.AddRange((await _process.StandardOutput.ReadToEndAsync()).Split('\n'));
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Everything it said so far.</summary>
    public string Said => string.Join('\n', _lines);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        TestFolder.Delete(_journal);
    }
}
