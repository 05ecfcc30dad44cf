using System.Net.Sockets;
using Monitoring.Api;
using Monitoring.Data.Configuration;
using Monitoring.Data.Supervision;

if (args is ["--help" or "-h" or "-?"])
{
    Console.WriteLine("""
        The read service of the monitor: JSON, the dashboard page at / and its description at /openapi/v1.json.
        It takes no options. Settings come from appsettings.json and the environment, docs/configuration.md lists them:
          DATABASE_URL          which database to read
          API_HOST, API_PORT    where to listen (127.0.0.1, 8000)
          API_AUTH              none or keys (keys unless API_HOST is a loopback address); Monitoring.Worker keys create makes one
        """);
    return 0;
}

if (args.Length > 0)
{
    await Console.Error.WriteLineAsync($"'{args[0]}' is not known: Monitoring.Api takes no options but --help");
    return 2;
}

try
{
    var configuration = new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
        .AddEnvironmentVariables()
        .Build();
    var options = ApiOptions.Read(new SettingsReader(configuration));
    // Tried before: what the host itself says of it is a page of its own inside.
    if (FindProblemOfListening(options) is { } problem)
    {
        await Console.Error.WriteLineAsync(
            $"cannot listen on {options.Host}, port {options.Port} (API_HOST and API_PORT say where): {problem}");
        return 1;
    }

    await using var app = ApiHost.Build(options, TimeProvider.System, Path.Combine(AppContext.BaseDirectory, "wwwroot"));
    var end = HostEnd.Of(app);
    await app.StartAsync();
    Console.WriteLine($"listening on {string.Join(", ", app.Urls)}");
    await app.WaitForShutdownAsync();
    return end.ExitCode;
}
catch (ConfigurationFaultException faults)
{
    foreach (var fault in faults.Faults)
        await Console.Error.WriteLineAsync(fault);
    return 1;
}
catch (IOException fault)
{
    await Console.Error.WriteLineAsync($"cannot listen: {fault.Message}");
    return 1;
}

static string? FindProblemOfListening(ApiOptions options)
{
    try
    {
        using var trial = new TcpListener(options.Address, options.Port);
        trial.Start();
        return null;
    }
    catch (SocketException fault)
    {
        return fault.Message;
    }
}
