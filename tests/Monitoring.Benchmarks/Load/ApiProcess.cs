using System.Diagnostics;

namespace Monitoring.Benchmarks.Load;

/// <summary>The real read service as a process, with keys, on a free port of this machine.</summary>
internal sealed class ApiProcess : IDisposable
{
    private const string Listening = "listening on ";

    private readonly Process _process;

    private ApiProcess(Process process, Uri address) => (_process, Address) = (process, address);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Its memory now, in MB.</summary>
    public double Megabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1024d / 1024d;
        }
    }

    public static async Task<ApiProcess> StartAsync(string database, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Repository.Program("Monitoring.Api") }, UseShellExecute = false, RedirectStandardOutput = true,
        };
        (start.Environment["DATABASE_URL"], start.Environment["API_HOST"], start.Environment["API_PORT"], start.Environment["API_AUTH"]) =
            (database, "127.0.0.1", "0", "keys");
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            if (line.StartsWith(Listening, StringComparison.Ordinal))
            {
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return new ApiProcess(process, new Uri(line[Listening.Length..]));
            }

        throw new InvalidOperationException("the read service did not start");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
