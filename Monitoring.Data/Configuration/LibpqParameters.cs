using System.Globalization;
using Npgsql;

namespace Monitoring.Data.Configuration;

/// <summary>
/// The parameters that psql takes, in a URL or in words, and what each is to Npgsql. What Npgsql cannot do is refused with the way round
/// it, unless leaving it out changes neither what is reached nor how safely.
/// </summary>
internal sealed class LibpqParameters
{
    private const int SystemsKeepAliveSeconds = 7200;

    private static readonly Dictionary<string, Action<NpgsqlConnectionStringBuilder, string>> Settings = new(StringComparer.Ordinal)
    {
        ["user"] = (to, value) => to.Username = value,
        ["password"] = (to, value) => to.Password = value,
        ["dbname"] = (to, value) => to.Database = value,
        ["passfile"] = (to, value) => to.Passfile = ExistingFile("passfile", value),
        ["application_name"] = (to, value) => to.ApplicationName = value,
        ["fallback_application_name"] = (to, value) => to.ApplicationName ??= value,
        ["options"] = (to, value) => to.Options = value,
        ["search_path"] = (to, value) => to.SearchPath = value,
        ["connect_timeout"] = (to, value) => to.Timeout = Math.Clamp(Whole("connect_timeout", value), 0, 1024),
        ["sslmode"] = (to, value) => to["SSL Mode"] = value.Replace("-", "", StringComparison.Ordinal),
        ["sslnegotiation"] = (to, value) => to["SSL Negotiation"] = value,
        ["sslcert"] = (to, value) => to.SslCertificate = ExistingFile("sslcert", value),
        ["sslkey"] = (to, value) => to.SslKey = ExistingFile("sslkey", value),
        ["sslpassword"] = (to, value) => to.SslPassword = value,
        ["krbsrvname"] = (to, value) => to.KerberosServiceName = value,
        ["gssencmode"] = (to, value) => to["GSS Encryption Mode"] = value,
        ["channel_binding"] = (to, value) => to["Channel Binding"] = value,
        ["require_auth"] = (to, value) => to["Require Auth"] = value,
        ["target_session_attrs"] = (to, value) => to.TargetSessionAttributes = value,
        ["load_balance_hosts"] = (to, value) =>
            to.LoadBalanceHosts = Choice("load_balance_hosts", value, "disable", "random") == "random",
    };

    // Read together, below.
    private static readonly HashSet<string> Together =
        ["host", "hostaddr", "port", "sslrootcert", "ssl", "keepalives", "keepalives_idle", "keepalives_interval", "client_encoding"];

    private static readonly HashSet<string> WithoutEffect =
    [
        "keepalives_count", "tcp_user_timeout", "sslcompression", "sslsni", "sslcertmode", "gsslib", "gssdelegation",
        "min_protocol_version", "max_protocol_version",
    ];

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["service"] = "write what that service's entry says into the address itself",
        ["servicefile"] = "write what that service's entry says into the address itself",
        ["replication"] = "leave it out: the programs need ordinary sessions",
        ["requirepeer"] = "leave it out, and give the socket a folder that only the server's account may write to",
        ["sslcrl"] = "use the form Host=…;Check Certificate Revocation=true",
        ["sslcrldir"] = "use the form Host=…;Check Certificate Revocation=true",
        ["ssl_min_protocol_version"] = "leave it out: TLS 1.2 is the least, and the operating system's settings may ask for more",
        ["ssl_max_protocol_version"] = "leave it out: the operating system's settings decide",
    };

    private readonly Dictionary<string, string> _given = new(StringComparer.Ordinal);

    /// <summary>Whether psql knows a parameter of this name, or we do.</summary>
    public static bool Knows(string name) =>
        Settings.ContainsKey(name) || Together.Contains(name) || WithoutEffect.Contains(name) || Refused.ContainsKey(name);

    /// <summary>Takes a parameter; of one that comes twice the later counts.</summary>
    /// <exception cref="FormatException">It is not known, or not possible here.</exception>
    public void Add(string name, string value)
    {
        if (Refused.TryGetValue(name, out var fix))
            throw new FormatException($"parameter '{name}' is not possible here; {fix}");
        if (!Knows(name))
            throw new FormatException($"parameter '{name}' is not known; known are "
                + string.Join(", ", Settings.Keys.Concat(Together).Order(StringComparer.Ordinal)));
        _given[name] = value;
    }

    /// <summary>What all of them mean together.</summary>
    /// <exception cref="FormatException">With a message that names the problem and never the password.</exception>
    public NpgsqlConnectionStringBuilder ToConnection()
    {
        var connection = new NpgsqlConnectionStringBuilder();
        SetHosts(connection);
        foreach (var (name, value) in _given)
            if (Settings.TryGetValue(name, out var set))
                Set(name, () => set(connection, value));
        Set("sslrootcert", () => SetRootCertificate(connection));
        Set("keepalives", () => SetKeepAlive(connection));
        if (Find("client_encoding") is { } encoding && encoding.ToUpperInvariant() is not ("UTF8" or "UTF-8" or "UNICODE" or "AUTO"))
            throw new FormatException("parameter 'client_encoding' must be UTF8; leave it out");
        return connection;
    }

    private void SetHosts(NpgsqlConnectionStringBuilder connection)
    {
        var hosts = (Find("host") ?? "").Split(',');
        if (Find("hostaddr") is { } addresses)
        {
            // The server's certificate is compared with the host, which is not what is connected to then.
            if (Find("host") is not null && Find("sslmode") == "verify-full")
                throw new FormatException("parameter 'hostaddr' is not possible with sslmode=verify-full; give host alone");
            hosts = addresses.Split(',');
        }

        var ports = (Find("port") ?? "").Split(',');
        if (Array.Exists(hosts, string.IsNullOrWhiteSpace))
            throw new FormatException("names no host; give one, or the folder of the server's socket by ?host=/var/run/postgresql; "
                + $"the form is {DatabaseUrl.Form}");
        if (ports.Length > 1 && ports.Length != hosts.Length)
            throw new FormatException($"parameter 'port' names {ports.Length} ports for {hosts.Length} hosts");
        var parsed = hosts.Select((host, i) => (Host: host.Trim(), Port: Port(ports[ports.Length > 1 ? i : 0], host))).ToList();
        // Several hosts carry their ports beside them; a single one has its own keyword.
        connection.Host = parsed.Count == 1 ? parsed[0].Host : string.Join(',', parsed.Select(h => $"{InBrackets(h.Host)}:{h.Port}"));
        if (parsed.Count == 1)
            connection.Port = parsed[0].Port;
    }

    private static string InBrackets(string host) =>
        host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') && !host.StartsWith('/') ? $"[{host}]" : host;

    private static int Port(string text, string host) =>
        text.Length == 0 ? NpgsqlConnection.DefaultPort
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536 ? port
        : throw new FormatException($"port '{text}' of host '{host}' is not a number from 1 to 65535");

    // As psql reads it: a root certificate is there to be checked against, and "system" means the machine's own and the host's name.
    private void SetRootCertificate(NpgsqlConnectionStringBuilder connection)
    {
        if (Find("ssl") is "true" && Find("sslmode") is null)
            connection.SslMode = SslMode.Require;
        if (Find("sslrootcert") is not { Length: > 0 } root)
            return;
        if (root == "system")
        {
            connection.SslMode = SslMode.VerifyFull;
            return;
        }

        connection.RootCertificate = ExistingFile("sslrootcert", root);
        if (connection.SslMode == SslMode.Require)
            connection.SslMode = SslMode.VerifyCA;
    }

    private void SetKeepAlive(NpgsqlConnectionStringBuilder connection)
    {
        if (Find("keepalives") is "0")
            return;
        var idle = Find("keepalives_idle") is { } seconds ? Whole("keepalives_idle", seconds) : 0;
        var interval = Find("keepalives_interval") is { } each ? Whole("keepalives_interval", each) : 0;
        if (interval > 0 && idle == 0)
            idle = SystemsKeepAliveSeconds; // Npgsql takes an interval only with it
        if (idle > 0)
            (connection.TcpKeepAliveTime, connection.TcpKeepAliveInterval) = (idle, interval);
        else if (Find("keepalives") is "1")
            connection.TcpKeepAlive = true;
    }

    private string? Find(string name) => _given.GetValueOrDefault(name);

    private static void Set(string name, Action set)
    {
        try
        {
            set();
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidCastException or NotSupportedException or OverflowException)
        {
            throw new FormatException($"parameter '{name}' has a value that is not allowed", fault);
        }
    }

    private static int Whole(string name, string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : throw new FormatException($"parameter '{name}' must be a whole number");

    private static string Choice(string name, string value, params string[] allowed) =>
        allowed.Contains(value) ? value : throw new FormatException($"parameter '{name}' must be {string.Join(" or ", allowed)}");

    private static string ExistingFile(string name, string path) => File.Exists(path) ? path
        : throw new FormatException($"parameter '{name}' names the file '{path}', which is not there or may not be read");
}
