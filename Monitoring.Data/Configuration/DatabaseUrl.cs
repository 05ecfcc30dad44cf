using Npgsql;

namespace Monitoring.Data.Configuration;

/// <summary>Reads both forms of <c>DATABASE_URL</c>: the URL that libpq and most hosters use, and Npgsql's own.</summary>
public static class DatabaseUrl
{
    /// <summary>The allowed forms, as messages give them.</summary>
    public const string Form = "postgresql://user:password@host:5432/database?sslmode=require, or Host=…;Database=…;Username=…";

    private static readonly Dictionary<string, string> Keywords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sslmode"] = "SSL Mode", ["sslrootcert"] = "Root Certificate", ["sslcert"] = "SSL Certificate", ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password", ["application_name"] = "Application Name", ["connect_timeout"] = "Timeout",
        ["target_session_attrs"] = "Target Session Attributes", ["options"] = "Options", ["search_path"] = "Search Path",
    };

    /// <summary>Parses a URL or an Npgsql connection string.</summary>
    /// <exception cref="FormatException">With a message that names the problem and never the password.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        if (text.StartsWith("postgresql://", StringComparison.Ordinal) || text.StartsWith("postgres://", StringComparison.Ordinal))
            return ParseUrl(text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..]);
        if (!text.Contains('='))
            throw new FormatException($"is neither a URL nor a list of key=value; the form is {Form}");

        try
        {
            var connection = new NpgsqlConnectionStringBuilder(text);
            return connection.Host is { Length: > 0 } ? connection : throw new FormatException($"names no host; the form is {Form}");
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidCastException)
        {
            // The library's own messages may repeat a value; only a keyword is safe to show.
            var keyword = fault is ArgumentException argument && argument.ParamName is { Length: > 0 } name ? $" near '{name}'" : "";
            throw fault as FormatException ?? new FormatException($"is not a valid connection string{keyword}; the form is {Form}", fault);
        }
    }

    private static NpgsqlConnectionStringBuilder ParseUrl(string rest)
    {
        var (beforeQuery, query) = Cut(rest, '?');
        var at = beforeQuery.LastIndexOf('@');
        var (user, password) = at < 0 ? ("", null) : Cut(beforeQuery[..at], ':');
        var (hosts, database) = Cut(beforeQuery[(at + 1)..], '/');
        if (hosts.Length == 0)
            throw new FormatException($"names no host; the form is {Form}");

        var parsed = hosts.Split(',').Select(ParseHost).ToList();
        var connection = new NpgsqlConnectionStringBuilder
        {
            // Several hosts carry their ports beside them; a single one has its own keyword.
            Host = parsed.Count == 1 ? parsed[0].Host : string.Join(',', parsed.Select(h => $"{h.Host}:{h.Port}")),
        };
        if (parsed.Count == 1)
            connection.Port = parsed[0].Port;
        if (user.Length > 0)
            connection.Username = Uri.UnescapeDataString(user);
        if (!string.IsNullOrEmpty(password))
            connection.Password = Uri.UnescapeDataString(password);
        if (!string.IsNullOrEmpty(database))
            connection.Database = Uri.UnescapeDataString(database);

        foreach (var pair in (query ?? "").Split('&', StringSplitOptions.RemoveEmptyEntries))
            SetParameter(connection, pair);
        return connection;
    }

    private static (string Host, int Port) ParseHost(string text)
    {
        var colon = text.LastIndexOf(':');
        var bracket = text.LastIndexOf(']');
        if (colon <= bracket)
            return (text, NpgsqlConnection.DefaultPort);
        var host = text[..colon];
        if (host.Length == 0)
            throw new FormatException($"names no host; the form is {Form}");
        return int.TryParse(text[(colon + 1)..], out var port) && port is > 0 and < 65536
            ? (host, port)
            : throw new FormatException($"port '{text[(colon + 1)..]}' of host '{host}' is not a number from 1 to 65535");
    }

    private static void SetParameter(NpgsqlConnectionStringBuilder connection, string pair)
    {
        var (name, value) = Cut(pair, '=');
        if (!Keywords.TryGetValue(name, out var keyword))
            throw new FormatException($"parameter '{name}' is not known; known are {string.Join(", ", Keywords.Keys)}");
        var text = Uri.UnescapeDataString(value ?? "");
        try
        {
            connection[keyword] = name == "sslmode" ? text.Replace("-", "", StringComparison.Ordinal) : text;
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidCastException)
        {
            throw new FormatException($"parameter '{name}' has a value that is not allowed", fault);
        }
    }

    private static (string Before, string? After) Cut(string text, char at)
    {
        var index = text.IndexOf(at, StringComparison.Ordinal);
        return index < 0 ? (text, null) : (text[..index], text[(index + 1)..]);
    }
}
