using System.Net;
using Monitoring.Api.Access;
using Monitoring.Data.Configuration;

namespace Monitoring.Api;

/// <summary>Where the read service listens, which database it reads, and who may ask it.</summary>
public sealed record ApiOptions(DatabaseOptions Database, string Host, int Port, AccessOptions Access)
{
    /// <summary>The address of <see cref="Host"/>.</summary>
    public IPAddress Address => Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(Host);

    /// <summary>Reads all settings.</summary>
    /// <exception cref="ConfigurationFaultException">With one line per fault.</exception>
    public static ApiOptions Read(SettingsReader settings)
    {
        var database = DatabaseOptions.Read(settings, "Monitoring.Api");
        var host = settings.Text("Api:Host", "API_HOST", "127.0.0.1");
        if (host != "localhost" && !IPAddress.TryParse(host, out _))
            settings.Refuse("API_HOST", $"'{host}' is no IP address; use 127.0.0.1, ::1, localhost, 0.0.0.0 or an address of this machine");
        var options = new ApiOptions(
            database, host, settings.Whole("Api:Port", "API_PORT", 8000, 0, 65535), AccessOptions.Read(settings, host));
        if (options.Database.Connection is null && !settings.HasFault("DATABASE_URL"))
            settings.Refuse("DATABASE_URL", $"is not set; it must be {DatabaseUrl.Form}");
        settings.Finish(DatabaseOptions.Section, "Api");
        return options;
    }
}
