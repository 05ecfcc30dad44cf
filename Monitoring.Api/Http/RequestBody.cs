using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monitoring.Api.Http;

/// <summary>Reads the JSON object that a request brings, and names each member that is wrong.</summary>
internal static class RequestBody
{
    private static readonly JsonSerializerOptions Strict = MakeStrict();

    /// <summary>Adds the body to the endpoint's description.</summary>
    public static RouteHandlerBuilder WithBody<T>(this RouteHandlerBuilder endpoint) where T : notnull =>
        endpoint.Accepts<T>("application/json").ProducesValidationProblem().ProducesProblem(StatusCodes.Status415UnsupportedMediaType);

    /// <summary>
    /// The body, or the answer that refuses it. A page of another site cannot send this content type without asking first.
    /// </summary>
    public static async Task<(T? Body, IResult? Refusal)> ReadAsync<T>(
        HttpRequest request, CancellationToken cancellationToken) where T : class
    {
        if (!request.HasJsonContentType())
            return (null, TypedResults.Problem("The body must be a JSON object, sent with Content-Type: application/json.",
                statusCode: StatusCodes.Status415UnsupportedMediaType));
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(request.Body, Strict, cancellationToken) is { } body
                ? (body, null)
                : (null, Refuse("body", "must be a JSON object, not null"));
        }
        catch (JsonException fault)
        {
            return (null, fault.Path is { Length: > 2 } path
                ? Refuse(path[2..], "is not allowed here, is given twice, or has the wrong form")
                : Refuse("body", "is no JSON object of the form that is asked for"));
        }
        catch (BadHttpRequestException fault)
        {
            return (null, TypedResults.Problem("The body is too long, or was not sent in time.", statusCode: fault.StatusCode));
        }
    }

    /// <summary>
    /// One line that a database takes: not blank, without control characters and halves of surrogate pairs, not too long.
    /// </summary>
    public static bool IsLine(string text, int maxLength) =>
        !string.IsNullOrWhiteSpace(text) && text.Length <= maxLength && !text.Any(char.IsControl)
        && text.EnumerateRunes().All(rune => rune != Rune.ReplacementChar);

    /// <summary>400 that names one member.</summary>
    public static IResult Refuse(string member, string problem) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]> { [member] = [problem] }, detail: $"{member} {problem}");

    private static JsonSerializerOptions MakeStrict()
    {
        var options = new JsonSerializerOptions
        {
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false,
        };
        Json.Configure(options);
        return options;
    }
}
