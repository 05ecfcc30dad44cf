using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Monitoring.Api.Http;

/// <summary>A page of a list: the items under their own name, and where the list goes on.</summary>
public abstract record Page<T>([property: JsonIgnore] IReadOnlyList<T> Rows, [property: JsonPropertyOrder(9)] string? Next)
{
    /// <summary>Always true: faults are answered as problems.</summary>
    [JsonPropertyOrder(-2)]
    public bool Success => true;

    /// <summary>How many items this page has.</summary>
    [JsonPropertyOrder(-1)]
    public int Count => Rows.Count;
}

/// <summary>Answers a page as JSON, or its rows as CSV or NDJSON when the request's <c>Accept</c> asks for them.</summary>
internal sealed class PageResult<TPage, T>(TPage page) : IResult where TPage : Page<T>
{
    private const string Csv = "text/csv";
    private const string NdJson = "application/x-ndjson";

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var options = httpContext.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        httpContext.Response.Headers.Vary = "Accept";
        return (httpContext.Request.GetTypedHeaders().Accept ?? []).Select(accepted => accepted.MediaType.Value).FirstOrDefault(type => type is Csv or NdJson) switch
        {
            Csv => TypedResults.Text(WriteCsv(options), Csv, Encoding.UTF8).ExecuteAsync(httpContext),
            NdJson => TypedResults.Text(string.Concat(page.Rows.Select(row => JsonSerializer.Serialize(row, options) + "\n")), NdJson, Encoding.UTF8).ExecuteAsync(httpContext),
            _ => TypedResults.Ok(page).ExecuteAsync(httpContext),
        };
    }

    /// <summary>Documents the three forms.</summary>
    public static RouteHandlerBuilder Describe(RouteHandlerBuilder endpoint) => endpoint.Produces<TPage>(200, "application/json", Csv, NdJson);

    private string WriteCsv(JsonSerializerOptions options)
    {
        var columns = options.GetTypeInfo(typeof(T)).Properties.Select(property => property.Name).ToList();
        var text = new StringBuilder().AppendJoin(',', columns).Append("\r\n");
        foreach (var row in page.Rows)
        {
            var json = JsonSerializer.SerializeToElement(row, options);
            text.AppendJoin(',', columns.Select(column => Cell(json.GetProperty(column)))).Append("\r\n");
        }

        return text.ToString();
    }

    private static string Cell(JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Null => "",
            JsonValueKind.String => value.GetString()!,
            _ => value.GetRawText(),
        };
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"")}\"";
    }
}
