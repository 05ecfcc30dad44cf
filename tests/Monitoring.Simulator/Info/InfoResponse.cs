using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Monitoring.Simulator.Info;

/// <summary>Writes whole answers with their length, so that a cut body is cut JSON and not a broken transfer.</summary>
internal static class InfoResponse
{
    public static byte[] Bytes(JsonNode? body) => JsonSerializer.SerializeToUtf8Bytes(body);

    public static Task JsonAsync(HttpContext http, int status, JsonNode? body)
    {
        http.Response.StatusCode = status;
        return BytesAsync(http, Bytes(body));
    }

    public static async Task BytesAsync(HttpContext http, ReadOnlyMemory<byte> body)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    public static Task HtmlAsync(HttpContext http, int status, string page) => TextAsync(http, status, "text/html", page);

    public static async Task TextAsync(HttpContext http, int status, string contentType, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType;
        var body = Encoding.UTF8.GetBytes(text);
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}
