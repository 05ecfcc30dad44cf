using System.Net.Http.Headers;
using System.Text.Json;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Http;

/// <summary>
/// How sources are asked over HTTP. No redirect is followed, for it would lead a question, and the trust in its answer, to somebody else;
/// a body goes out with its length, which simple proxies want; an answer is read up to a limit. The caller holds the deadline of the whole.
/// </summary>
internal static class SourceHttp
{
    private const int MaxHeadersKiB = 64;

    /// <summary>Adds a named client for a source at this address.</summary>
    public static IHttpClientBuilder AddSourceClient(
        this IServiceCollection services, string name, Uri? address, Action<HttpClient>? configure = null) =>
        services.AddHttpClient(name, http =>
        {
            http.BaseAddress = address;
            http.Timeout = Timeout.InfiniteTimeSpan; // the caller's token ends it, the reading of the answer too
            configure?.Invoke(http);
        }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxResponseHeadersLength = MaxHeadersKiB,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a name that moves is seen
        });

    /// <summary>A request's body as JSON, with its length.</summary>
    public static HttpContent Json(object body)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, JsonSerializerOptions.Web));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        return content;
    }

    /// <summary>Reads a whole answer of at most so many bytes.</summary>
    /// <exception cref="MissingDataException">It is larger.</exception>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, int most, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > most)
            throw TooLarge(most);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var answer = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            if (answer.Length + read > most)
                throw TooLarge(most);
            answer.Write(buffer, 0, read);
        }

        return answer.ToArray();
    }

    /// <summary>Says where an answer that is a redirect leads; null for any other. Queries may hold secrets and are left out.</summary>
    public static string? FindRedirect(HttpResponseMessage response)
    {
        if ((int)response.StatusCode is < 300 or >= 400)
            return null;
        var target = response.Headers.Location switch
        {
            null => "nowhere",
            { IsAbsoluteUri: true } absolute =>
                absolute.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped),
            var relative => relative.OriginalString.Split('?', '#')[0],
        };
        return $"HTTP {(int)response.StatusCode}, a redirect to {Excerpt(target)}, which is not followed; "
            + "set the address that answers by itself";
    }

    /// <summary>What is wrong with an answer that could not be parsed, in plain words.</summary>
    public static string Describe(Exception fault, ReadOnlySpan<byte> answer)
    {
        const int deepest = 64; // of the parser
        var reader = new Utf8JsonReader(answer, new JsonReaderOptions { MaxDepth = int.MaxValue, AllowMultipleValues = true });
        try
        {
            while (reader.Read())
                if (reader.CurrentDepth > deepest)
                    return $"it is nested deeper than {deepest} levels.";
        }
        catch (JsonException)
        {
            // Not its depth, then.
        }

        return fault.Message;
    }

    private static MissingDataException TooLarge(int most) => new($"the answer is larger than {most / 1024.0 / 1024.0:0.##} MiB");

    private static string Excerpt(string text) => text.Length <= 120 ? text : text[..120] + "…";
}
