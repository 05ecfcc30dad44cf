using System.Text;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Configuration;

/// <summary>
/// Reads the forms of <c>DATABASE_URL</c>: the URL and the words (<c>host=… dbname=…</c>) that psql and most hosters use, and
/// Npgsql's own.
/// </summary>
public static class DatabaseUrl
{
    /// <summary>The allowed forms, as messages give them.</summary>
    public const string Form = "postgresql://user:password@host:5432/database?sslmode=require, or Host=…;Database=…;Username=…";

    /// <summary>Parses a URL, psql's words or an Npgsql connection string.</summary>
    /// <exception cref="FormatException">With a message that names the problem and never the password.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        if (text.StartsWith("postgresql://", StringComparison.Ordinal) || text.StartsWith("postgres://", StringComparison.Ordinal))
            return Usable(ParseUrl(text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..]).ToConnection());
        if (!text.Contains('='))
            throw new FormatException($"is neither a URL nor a list of key=value; the form is {Form}");
        if (FindWords(text) is { } words)
            return Usable(words.ToConnection());

        try
        {
            var connection = new NpgsqlConnectionStringBuilder(text);
            return connection.Host is { Length: > 0 }
                ? Usable(connection) : throw new FormatException($"names no host; the form is {Form}");
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidCastException)
        {
            // The library's own messages may repeat a value; only a keyword is safe to show.
            var keyword = fault is ArgumentException argument && argument.ParamName is { Length: > 0 } name ? $" near '{name}'" : "";
            throw fault as FormatException ?? new FormatException($"is not a valid connection string{keyword}; the form is {Form}", fault);
        }
    }

    // What the library finds wrong with the whole it says only when something is made of it.
    private static NpgsqlConnectionStringBuilder Usable(NpgsqlConnectionStringBuilder connection)
    {
        try
        {
            using var source = DataSources.Create(connection, prepare: false);
            return connection;
        }
        catch (Exception fault) when (fault is ArgumentException or NotSupportedException or InvalidOperationException)
        {
            var reason = connection.Password is { Length: > 0 } secret && fault.Message.Contains(secret, StringComparison.Ordinal)
                ? "two of its parameters contradict each other" : fault.Message;
            throw new FormatException($"cannot be used: {reason}", fault);
        }
    }

    private static LibpqParameters ParseUrl(string rest)
    {
        var parameters = new LibpqParameters();
        var at = FindAt(rest);
        if (at >= 0)
        {
            var (user, password) = Cut(rest[..at], ':');
            AddUnlessEmpty(parameters, "user", user);
            AddUnlessEmpty(parameters, "password", password);
        }

        var (beforeQuery, query) = Cut(rest[(at + 1)..], '?');
        var (hosts, database) = Cut(beforeQuery, '/');
        var parsed = hosts.Split(',').Select(SplitHost).ToList();
        AddUnlessEmpty(parameters, "host", string.Join(',', parsed.Select(host => host.Host)));
        parameters.Add("port", string.Join(',', parsed.Select(host => host.Port)));
        AddUnlessEmpty(parameters, "dbname", database);
        foreach (var pair in (query ?? "").Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(pair, '=');
            parameters.Add(Uri.UnescapeDataString(name), Uri.UnescapeDataString(value ?? ""));
        }

        return parameters;
    }

    // As psql finds it, before the first slash; and in a password a slash that should have been escaped.
    private static int FindAt(string rest)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var s ? s : rest.Length;
        var query = rest.IndexOf('?', StringComparison.Ordinal) is >= 0 and var q ? q : rest.Length;
        var at = rest[..Math.Min(slash, query)].LastIndexOf('@');
        if (at < 0)
            at = rest[..slash].LastIndexOf('@');
        return at < 0 && SplitHost(rest[..slash]).Port.Any(c => !char.IsAsciiDigit(c)) ? rest[..query].LastIndexOf('@') : at;
    }

    private static (string Host, string Port) SplitHost(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon <= text.LastIndexOf(']')
            ? (Uri.UnescapeDataString(text), "")
            : (Uri.UnescapeDataString(text[..colon]), text[(colon + 1)..]);
    }

    private static void AddUnlessEmpty(LibpqParameters parameters, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            parameters.Add(name, name == "host" ? value : Uri.UnescapeDataString(value));
    }

    // Null where these are no words of psql's: Npgsql's form separates by semicolons, which in words only a password may hold.
    private static LibpqParameters? FindWords(string text)
    {
        var words = new List<(string Name, string Value)>();
        for (var i = 0; SkipSpace(text, i) is var start && start < text.Length;)
        {
            var equals = text.IndexOf('=', start);
            if (equals < 0)
                return null;
            var (value, end) = ReadValue(text, SkipSpace(text, equals + 1));
            words.Add((text[start..equals].Trim(), value));
            i = end;
        }

        if (!words.TrueForAll(word => LibpqParameters.Knows(word.Name) && (word.Name == "password" || !word.Value.Contains(';')))
            || (words[0] is { Name: "password" } first && first.Value.Contains(';')))
            return null;
        var parameters = new LibpqParameters();
        foreach (var (name, value) in words)
            parameters.Add(name, value);
        return parameters;
    }

    // A value ends at a space, or at the quote that closes it; a backslash takes the next character as it is.
    private static (string Value, int End) ReadValue(string text, int start)
    {
        var value = new StringBuilder();
        var isQuoted = start < text.Length && text[start] == '\'';
        var i = isQuoted ? start + 1 : start;
        for (; i < text.Length && (isQuoted ? text[i] != '\'' : !char.IsWhiteSpace(text[i])); i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
                i++;
            value.Append(text[i]);
        }

        return (value.ToString(), isQuoted ? i + 1 : i);
    }

    private static int SkipSpace(string text, int start)
    {
        while (start < text.Length && char.IsWhiteSpace(text[start]))
            start++;
        return start;
    }

    private static (string Before, string? After) Cut(string text, char at)
    {
        var index = text.IndexOf(at, StringComparison.Ordinal);
        return index < 0 ? (text, null) : (text[..index], text[(index + 1)..]);
    }
}
