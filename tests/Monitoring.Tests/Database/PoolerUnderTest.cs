using System.Diagnostics;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>A PgBouncer in transaction mode before the tests' server.</summary>
internal sealed class PoolerUnderTest : IAsyncDisposable
{
    private readonly Process _process;

    private PoolerUnderTest(Process process, NpgsqlConnectionStringBuilder connection) => (_process, Connection) = (process, connection);

    /// <summary>The way through it, to the same database.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; }

    /// <summary>Starts it before the database that this leads to; without PgBouncer the test says so.</summary>
    public static async Task<PoolerUnderTest> StartAsync(NpgsqlConnectionStringBuilder direct)
    {
        var start = new ProcessStartInfo("bash")
        {
            ArgumentList = { Repository.File("deploy/local/pgbouncer.sh"), "serve" },
            Environment = { ["DATABASE_URL"] = UrlOf(direct) },
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        if (await process.StandardOutput.ReadLineAsync() is not { } line)
            throw new IgnoreException("deploy/local/pgbouncer.sh found no PgBouncer; its message is above");
        return new PoolerUnderTest(process, DatabaseUrl.Parse(line["DATABASE_URL=".Length..]));
    }

    /// <summary>A connection as a URL.</summary>
    public static string UrlOf(NpgsqlConnectionStringBuilder connection) =>
        $"postgresql://{connection.Username}:{connection.Password}@{connection.Host}:{connection.Port}/{connection.Database}";

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
