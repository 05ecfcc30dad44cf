using System.Net;
using Monitoring.Data.Configuration;

namespace Monitoring.Api;

/// <summary>Who may ask: anybody who reaches the port, or holders of a key.</summary>
public enum ApiAuth { None, Keys }

/// <summary>Where the read service listens and which database it reads.</summary>
public sealed record ApiOptions(DatabaseOptions Database, string Host, int Port)
{
    /// <summary>Reads all settings.</summary>
    /// <exception cref="ConfigurationFaultException">With one line per fault.</exception>
    public static ApiOptions Read(SettingsReader settings)
    {
        var options = new ApiOptions(
            DatabaseOptions.Read(settings, "Monitoring.Api"),
            settings.Text("Api:Host", "API_HOST", "127.0.0.1"),
            settings.Whole("Api:Port", "API_PORT", 8000, 0, 65535));
        var loopback = options.Host == "localhost" || (IPAddress.TryParse(options.Host, out var address) && IPAddress.IsLoopback(address));
        if (options.Host is not "localhost" && !IPAddress.TryParse(options.Host, out _))
            settings.Refuse("API_HOST", $"'{options.Host}' is no IP address; use 127.0.0.1, ::1, localhost, 0.0.0.0 or an address of this machine");
        else if (settings.Choice("Api:Auth", "API_AUTH", loopback ? ApiAuth.None : ApiAuth.Keys) == ApiAuth.Keys)
            settings.Refuse("API_AUTH", "this version cannot check keys: listen on a loopback address behind a proxy that authenticates, or set API_AUTH=none");
        if (options.Database.Connection is null && !settings.HasFault("DATABASE_URL"))
            settings.Refuse("DATABASE_URL", $"is not set; it must be {DatabaseUrl.Form}");
        settings.Finish(DatabaseOptions.Section, "Api");
        return options;
    }
}
