using System.Text.Json.Serialization;

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
    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (RowForms.Wanted(httpContext) is var form and not RowForm.Json)
        {
            var writer = new RowWriter<T>(httpContext, form);
            foreach (var row in page.Rows)
                await writer.WriteAsync(row);
            await writer.FlushAsync();
        }
        else
        {
            await TypedResults.Ok(page).ExecuteAsync(httpContext);
        }
    }

    /// <summary>Documents the three forms.</summary>
    public static RouteHandlerBuilder Describe(RouteHandlerBuilder endpoint) =>
        endpoint.Produces<TPage>(200, "application/json", RowForms.Csv, RowForms.NdJson);
}
