using System.Net;
using System.Net.Http.Headers;

namespace Monitoring.Tests.Api;

/// <summary>One message of an event stream.</summary>
internal sealed record StreamMessage(string? Id, string Kind, string Data);

/// <summary>A client of <c>/security/events/stream</c> that keeps the last id as a browser does.</summary>
internal sealed class EventStreamClient(HttpClient http) : IDisposable
{
    private HttpResponseMessage? _response;
    private StreamReader? _reader;

    public string? LastId { get; set; }

    public HttpResponseHeaders Headers => _response!.Headers;

    public async Task ConnectAsync()
    {
        Cut();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/security/events/stream");
        if (LastId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", LastId);
        _response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.That((_response.StatusCode, _response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((HttpStatusCode.OK, "text/event-stream")));
        _reader = new StreamReader(await _response.Content.ReadAsStreamAsync());
    }

    /// <summary>The next message; null at the end of the stream. Ids count even where there is no message.</summary>
    public async Task<StreamMessage?> ReadAsync(bool onlyPosition = false)
    {
        string? id = null, kind = null, data = null;
        while (await _reader!.ReadLineAsync() is { } line)
        {
            if (line.Length == 0)
            {
                LastId = id ?? LastId;
                if (data is not null || (onlyPosition && id is not null))
                    return new StreamMessage(id, kind ?? "message", data ?? "");
                (id, kind) = (null, null);
            }
            else if (line.Split(": ", 2) is [var field, var value])
            {
                (id, kind, data) = field switch { "id" => (value, kind,
                    data), "event" => (id, value, data), "data" => (id, kind, value), _ => (id, kind, data) };
            }
        }

        return null;
    }

    /// <summary>Breaks the connection, whatever is still on its way.</summary>
    public void Cut()
    {
        _response?.Dispose();
        _response = null;
    }

    public void Dispose() => Cut();
}
