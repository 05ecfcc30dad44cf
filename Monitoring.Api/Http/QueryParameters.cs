using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;
using Monitoring.Data.Configuration;

namespace Monitoring.Api.Http;

/// <summary>
/// A parameter of a request, declared once: it is checked by this, read by this and documented by this. Mostly of the query string.
/// </summary>
internal abstract class QueryParameter(string name, string description)
{
    public string Name { get; } = name;

    public string Description { get; } = description;

    public virtual ParameterLocation In => ParameterLocation.Query;

    /// <summary>Its schema in the OpenAPI document.</summary>
    public abstract OpenApiSchema Schema { get; }

    /// <summary>Null when the text is allowed, else what it must be.</summary>
    public abstract string? FindProblem(string text);

    /// <summary>The text of the request, or null when the parameter is not there.</summary>
    protected string? TextOf(HttpRequest request) => request.Query.TryGetValue(Name, out var values) ? values.ToString() : null;
}

/// <summary>A whole number in a range.</summary>
internal sealed class WholeParameter(string name, int min, int max, int? fallback, string description) : QueryParameter(name, description)
{
    public override OpenApiSchema Schema => new()
    {
        Type = JsonSchemaType.Integer, Minimum = $"{min}", Maximum = $"{max}",
        Default = fallback is { } value ? JsonValue.Create(value) : null,
    };

    public override string? FindProblem(string text) => Parse(text) is null ? $"must be a whole number from {min} to {max}" : null;

    /// <summary>The value given, or the default.</summary>
    public int? Find(HttpRequest request) => TextOf(request) is { } text ? Parse(text) : fallback;

    /// <summary>The value of a parameter that has a default.</summary>
    public int Read(HttpRequest request) => Find(request) ?? throw new InvalidOperationException($"{Name} has no default");

    // Digits alone: the parser would let a trailing null character pass.
    private int? Parse(string text) =>
        text.All(char.IsAsciiDigit) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min
        && value <= max ? value : null;
}

/// <summary>One name out of an enumeration.</summary>
internal sealed class ChoiceParameter<T>(string name, string description) : QueryParameter(name, description) where T : struct, Enum
{
    private static readonly Dictionary<string, T> Names = Enum.GetValues<T>().ToDictionary(SnakeCase.Of);

    public override OpenApiSchema Schema =>
        new() { Type = JsonSchemaType.String, Enum = [.. Names.Keys.Select(key => (JsonNode)JsonValue.Create(key)!)] };

    public override string? FindProblem(string text) => Names.ContainsKey(text) ? null : $"must be one of {string.Join(", ", Names.Keys)}";

    /// <summary>The value given, or null.</summary>
    public T? Find(HttpRequest request) => TextOf(request) is { } text ? Names[text] : null;
}

/// <summary>A name of lower-case letters, digits and underscores.</summary>
internal sealed class NameParameter(string name, string description) : QueryParameter(name, description)
{
    private const int MaxLength = 64;

    public override OpenApiSchema Schema => new() { Type = JsonSchemaType.String, Pattern = "^[a-z0-9_]{1,64}$" };

    public override string? FindProblem(string text) =>
        text.Length is > 0 and <= MaxLength && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ? null
            : $"must be 1 to {MaxLength} lower-case letters, digits or underscores";

    /// <summary>The name given, or null.</summary>
    public string? Find(HttpRequest request) => TextOf(request);
}

/// <summary>A decimal number in a range.</summary>
internal sealed class DecimalParameter(
    string name, decimal min, decimal max, decimal fallback, string description) : QueryParameter(name, description)
{
    private const int MaxLength = 30;

    public override OpenApiSchema Schema => new()
    {
        Type = JsonSchemaType.Number, Minimum = min.ToString(CultureInfo.InvariantCulture),
        Maximum = max.ToString(CultureInfo.InvariantCulture), Default = JsonValue.Create(fallback),
    };

    public override string? FindProblem(string text) =>
        Parse(text) is null ? string.Create(CultureInfo.InvariantCulture, $"must be a number from {min} to {max}, like 0.3") : null;

    /// <summary>The value given, or the default.</summary>
    public decimal Read(HttpRequest request) => TextOf(request) is { } text ? Parse(text)!.Value : fallback;

    private decimal? Parse(string text) =>
        text.Length <= MaxLength && text.All(c => char.IsAsciiDigit(c) || c == '.')
        && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
        && value >= min && value <= max ? value : null;
}

/// <summary>Yes or no.</summary>
internal sealed class FlagParameter(string name, bool fallback, string description) : QueryParameter(name, description)
{
    public override OpenApiSchema Schema => new() { Type = JsonSchemaType.Boolean, Default = JsonValue.Create(fallback) };

    public override string? FindProblem(string text) => text is "true" or "false" ? null : "must be true or false";

    /// <summary>The value given, or the default.</summary>
    public bool Read(HttpRequest request) => TextOf(request) is { } text ? text == "true" : fallback;
}

/// <summary>
/// Where a list goes on: the <c>next</c> of the page before. Its seal is checked by the list itself, which knows its filters.
/// </summary>
internal sealed class CursorParameter()
    : QueryParameter("before", "The next of the page before, with the same filters; goes on after its last item.")
{
    public override OpenApiSchema Schema =>
        new() { Type = JsonSchemaType.String, Pattern = $"^[A-Za-z0-9_-]{{20,{CursorSeal.MaxLength}}}$" };

    public override string? FindProblem(string text) =>
        text.Length is >= 20 and <= CursorSeal.MaxLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? null
            : "must be the next of an earlier page of this list";
}

/// <summary>Refuses requests whose parameters are unknown, repeated or malformed, naming each of them.</summary>
internal static class QueryParameterFilter
{
    /// <summary>Declares all parameters of the endpoint. Without any, every parameter is unknown.</summary>
    public static RouteHandlerBuilder WithParameters(this RouteHandlerBuilder endpoint, params QueryParameter[] parameters) => endpoint
        .WithMetadata(new QueryParameterList(parameters))
        .ProducesValidationProblem()
        .AddEndpointFilter(async (context, next) =>
        {
            var faults = FindFaults(context.HttpContext.Request, parameters);
            return faults.Count == 0 ? await next(context) : Refuse(faults);
        });

    /// <summary>A 400 that names one parameter and what it must be.</summary>
    public static ValidationProblem Refuse(string name, string problem) => Refuse(new Dictionary<string, string[]> { [name] = [problem] });

    private static ValidationProblem Refuse(Dictionary<string, string[]> faults) =>
        TypedResults.ValidationProblem(faults, detail: string.Join("; ", faults.Select(f => $"{f.Key} {f.Value[0]}")));

    private static Dictionary<string, string[]> FindFaults(HttpRequest request, QueryParameter[] parameters)
    {
        var query = request.Query;
        var known = parameters.Where(p => p.In == ParameterLocation.Query).ToList();
        var faults = new Dictionary<string, string[]>();
        foreach (var header in parameters.Where(p => p.In == ParameterLocation.Header))
            if (request.Headers.TryGetValue(header.Name, out var given) && given.ToString() is { Length: > 0 } text
                && header.FindProblem(text) is { } problem)
                faults[header.Name] = [problem];
        foreach (var (name, values) in query)
        {
            var parameter = known.Find(p => p.Name == name);
            var problem = parameter is null ? "is not a parameter here; known are: "
                + $"{(known.Count > 0 ? string.Join(", ", known.Select(p => p.Name)) : "none")}"
                : values.Count != 1 ? "must be given once"
                : parameter.FindProblem(values.ToString());
            if (problem is not null)
                faults[name] = [problem];
        }

        if (faults.Count == 0)
            WindowParameters.AddFaults(query, faults);
        return faults;
    }
}

/// <summary>The declared parameters of an endpoint, for the OpenAPI document.</summary>
internal sealed record QueryParameterList(IReadOnlyList<QueryParameter> Parameters);
