using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Monitoring.Data.Configuration;

/// <summary>
/// One setting as the reference lists it: its key, its short name if any, its default and its allowed form; a
/// secret may come from a file.
/// </summary>
public sealed record Setting(string Key, string? ShortName, string Default, string Form, bool IsSecret = false)
{
    /// <summary>The name that users know best: the short one where there is one.</summary>
    public string Name => ShortName ?? Key;
}

/// <summary>Thrown at start with every fault of the configuration, one line each. No line holds a secret.</summary>
public sealed class ConfigurationFaultException(IReadOnlyList<string> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    /// <summary>One line per fault: the key, the value's problem, the allowed form.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}

/// <summary>
/// Reads typed settings from a configuration and collects what is wrong with them, so that a start names every fault at once. A short name
/// (<c>DATABASE_POOL_SIZE</c>) wins over the section form; in keys, <c>.</c>, <c>-</c> and <c>_</c> do not count, so that
/// <c>Rules:some.rule:HighUsd</c> can be set as <c>Rules__some_rule__HighUsd</c>.
/// </summary>
public sealed class SettingsReader
{
    private readonly Dictionary<string, (string Key, string Value)> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Setting> _declared = [];
    private readonly List<string> _faults = [];

    /// <summary>Takes a view of all values of <paramref name="configuration"/>.</summary>
    public SettingsReader(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.AsEnumerable())
            if (value is not null)
                _values[Normalise(key)] = (key, value);
    }

    /// <summary>Every setting read so far, in reading order: the source of the configuration reference.</summary>
    public IReadOnlyList<Setting> Declared => _declared;

    /// <summary>A whole number between two bounds, both allowed.</summary>
    public int Whole(string key, string? shortName, int fallback, int min, int max) =>
        Read(Declare(key, shortName, $"{fallback}", $"a whole number from {min} to {max}"), fallback,
            text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= min && n <= max
                ? n
                : null);

    /// <summary>A span of whole seconds between two bounds, both allowed.</summary>
    public TimeSpan Seconds(string key, string? shortName, int fallback, int min, int max) =>
        TimeSpan.FromSeconds(Whole(key, shortName, fallback, min, max));

    /// <summary>A decimal number between two bounds, both allowed.</summary>
    public decimal Number(string key, decimal fallback, decimal min, decimal max) =>
        Read(Declare(key, null, $"{fallback}", $"a number from {min} to {max}"), fallback,
            text => decimal.TryParse(
                text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n)
                    && n >= min && n <= max ? n : null);

    /// <summary>
    /// One name of an enumeration, in any case. <paramref name="shownFallback"/> is for the reference, where the
    /// default depends on another setting.
    /// </summary>
    public T Choice<T>(string key, string? shortName, T fallback, string? shownFallback = null) where T : struct, Enum
    {
        var names = Enum.GetValues<T>().ToDictionary(SnakeCase.Of, value => value, StringComparer.OrdinalIgnoreCase);
        return Read(Declare(key, shortName, shownFallback ?? SnakeCase.Of(fallback), string.Join(", ", names.Keys)), fallback,
            text => names.TryGetValue(text, out var value) ? value : null);
    }

    /// <summary>A switch.</summary>
    public bool IsOn(string key, string? shortName, bool fallback) =>
        Read(Declare(key, shortName, fallback ? "on" : "off", "on or off"), fallback,
            text => text.ToLowerInvariant() switch { "on" => true, "off" => false, _ => (bool?)null });

    /// <summary>A base address: http or https, without path, query or credentials.</summary>
    public Uri BaseAddress(string key, string? shortName, string fallback) =>
        ReadClass(Declare(key, shortName, fallback, "an http or https address without path, like https://api.example.org"),
            new Uri(fallback), ParseBaseAddress);

    /// <summary>A base address that may also be empty or <c>off</c>; null then.</summary>
    public Uri? OptionalBaseAddress(string key, string? shortName, string fallback)
    {
        var setting = Declare(key, shortName, fallback, "an http or https address without path, like https://api.example.org, or off");
        return Find(key, shortName)?.Trim() is "" or "off" ? null : ReadClass(setting, new Uri(fallback), ParseBaseAddress);
    }

    /// <summary>An account address: 0x and 40 hexadecimal digits; answered in lower case.</summary>
    public string Address(string key, string? shortName, string fallback) =>
        ReadClass(Declare(key, shortName, fallback, "0x and 40 hexadecimal digits"), fallback, text =>
            IsAddress(text) ? text.ToLowerInvariant() : null);

    /// <summary>Account addresses, separated by commas, in lower case and each once; none where it is not set or empty.</summary>
    public IReadOnlyList<string> Addresses(string key, string shortName, int most)
    {
        var setting = Declare(key, shortName, "–", $"at most {most} addresses, each 0x and 40 hexadecimal digits, separated by commas");
        var given = (Find(key, shortName) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var text in given.Where(text => !IsAddress(text)))
            AddMalformed(setting, text);
        if (given.Length > most)
            Refuse(setting.Name, $"names {given.Length} addresses; it must be {setting.Form}");
        return [.. given.Select(text => text.ToLowerInvariant()).Distinct()];
    }

    /// <summary>Values separated by commas; none where it is not set or empty. <paramref name="form"/> says what is allowed.</summary>
    public IReadOnlyList<T> List<T>(string key, string shortName, string form, Func<string, T?> parse) where T : struct =>
        ReadList(key, shortName, form, text => parse(text) is { } value ? [value] : Array.Empty<T>());

    /// <summary>Texts separated by commas; none where it is not set or empty. <paramref name="form"/> says what is allowed.</summary>
    public IReadOnlyList<string> List(string key, string shortName, string form, Func<string, string?> parse) =>
        ReadList(key, shortName, form, text => parse(text) is { } value ? [value] : Array.Empty<string>());

    private List<T> ReadList<T>(string key, string shortName, string form, Func<string, T[]> parse)
    {
        var setting = Declare(key, shortName, "–", form);
        var values = new List<T>();
        foreach (var text in (Find(key, shortName) ?? "").Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parsed = parse(text);
            if (parsed.Length == 0)
                AddMalformed(setting, text);
            values.AddRange(parsed);
        }

        return values;
    }

    /// <summary>Free text that must not be empty.</summary>
    public string Text(string key, string? shortName, string fallback) =>
        ReadClass(Declare(key, shortName, fallback, "text"), fallback, text => text.Trim() is { Length: > 0 } trimmed ? trimmed : null);

    /// <summary>
    /// Values separated by commas, each once; none where it is not set. <paramref name="parse"/> answers null
    /// for what is not allowed.
    /// </summary>
    public IReadOnlyList<string> List(string key, string form, Func<string, string?> parse)
    {
        var setting = Declare(key, null, "–", $"separated by commas: {form}");
        var parsed = new List<string>();
        foreach (var text in (Find(key, null) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (parse(text) is { } value)
                parsed.Add(value);
            else
                AddMalformed(setting, text);
        }

        return [.. parsed.Distinct()];
    }

    /// <summary>The names that users gave right below a section, in order.</summary>
    public IReadOnlyList<string> Children(string section) =>
        [.. _values.Values.Where(value => value.Key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase))
            .Select(value => value.Key[(section.Length + 1)..].Split(':')[0]).Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>A value that may be left out or empty; null then.</summary>
    public T? Optional<T>(string key, string shortName, string form, Func<string, T?> parse) where T : class
    {
        var setting = Declare(key, shortName, "–", form);
        return string.IsNullOrWhiteSpace(Find(key, shortName)) ? null : ReadClass(setting, null!, parse);
    }

    /// <summary>A secret, or null when it is not set. It may come from the file that <c>X_FILE</c> names; faults never repeat it.</summary>
    public string? Secret(string key, string shortName, string form)
    {
        var setting = Declare(key, shortName, "–", form, isSecret: true);
        var file = Find($"{key}_FILE", $"{shortName}_FILE");
        var direct = Find(key, shortName);
        if (string.IsNullOrEmpty(file))
            return string.IsNullOrWhiteSpace(direct) ? null : direct.Trim();
        if (!string.IsNullOrWhiteSpace(direct))
        {
            _faults.Add($"{setting.Name}: set both directly and by {shortName}_FILE; keep one of them");
            return null;
        }

        try
        {
            if (File.ReadAllText(file).Trim() is { Length: > 0 } secret)
                return secret;
            _faults.Add($"{shortName}_FILE: the file '{file}' is empty; it must hold {form}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            _faults.Add($"{shortName}_FILE: cannot read '{file}': {fault.Message}");
        }

        return null;
    }

    /// <summary>Whether a value is given at all, right or wrong.</summary>
    public bool IsGiven(string key, string? shortName) => Find(key, shortName) is not null;

    /// <summary>Adds a fault that only the caller can see, such as two settings that contradict each other.</summary>
    public void Refuse(string name, string problem) => _faults.Add($"{name}: {problem}");

    /// <summary>Whether a fault of this name is known already.</summary>
    public bool HasFault(string name) => _faults.Exists(fault => fault.StartsWith(name, StringComparison.Ordinal));

    /// <summary>Ends the reading: refuses keys of these sections that nobody read, and throws when there was any fault.</summary>
    /// <exception cref="ConfigurationFaultException">With one line per fault.</exception>
    public void Finish(params IEnumerable<string> sections)
    {
        var known = _declared.SelectMany(s => new[] { s.Key, $"{s.Key}_FILE" })
            .ToDictionary(Normalise, key => key, StringComparer.OrdinalIgnoreCase);
        foreach (var section in sections)
            foreach (var (normalised, (key, _)) in _values)
                if (normalised.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase) && !known.ContainsKey(normalised))
                    _faults.Add($"{key}: no such setting; known are {string.Join(", ", Nearest(key))}");
        if (_faults.Count > 0)
            throw new ConfigurationFaultException(_faults);
    }

    private static bool IsAddress(string text) =>
        text.Length == 42 && text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && text.AsSpan(2).IndexOfAnyExcept(HexDigits) < 0;

    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    private IEnumerable<string> Nearest(string key)
    {
        var parent = key[..key.LastIndexOf(':')];
        var siblings = _declared.Where(s => Normalise(s.Key).StartsWith(Normalise(parent) + ":", StringComparison.OrdinalIgnoreCase))
            .ToList();
        return (siblings.Count > 0 ? siblings : _declared).Select(s => s.Key).Distinct();
    }

    private static Uri? ParseBaseAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && uri is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" }
            ? uri : null;

    private Setting Declare(string key, string? shortName, string fallback, string form, bool isSecret = false)
    {
        var setting = new Setting(key, shortName, fallback, form, isSecret);
        if (!_declared.Contains(setting))
            _declared.Add(setting);
        return setting;
    }

    private T Read<T>(Setting setting, T fallback, Func<string, T?> parse) where T : struct
    {
        if (Find(setting.Key, setting.ShortName) is not { } text)
            return fallback;
        if (parse(text.Trim()) is { } value)
            return value;
        AddMalformed(setting, text);
        return fallback;
    }

    private T ReadClass<T>(Setting setting, T fallback, Func<string, T?> parse) where T : class
    {
        if (Find(setting.Key, setting.ShortName) is not { } text)
            return fallback;
        if (parse(text.Trim()) is { } value)
            return value;
        AddMalformed(setting, text);
        return fallback;
    }

    private void AddMalformed(Setting setting, string text) =>
        _faults.Add(string.IsNullOrWhiteSpace(text)
            ? $"{setting.Name}: is empty; it must be {setting.Form}"
            : $"{setting.Name}: '{(text.Length > 80 ? text[..80] + "…" : text)}' is not allowed; it must be {setting.Form}");

    private string? Find(string key, string? shortName)
    {
        if (shortName is not null && _values.TryGetValue(Normalise(shortName), out var found))
            return found.Value;
        return _values.TryGetValue(Normalise(key), out found) ? found.Value : null;
    }

    private static string Normalise(string key) =>
        key.Replace(".", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal)
            .Replace("_", "", StringComparison.Ordinal);
}
