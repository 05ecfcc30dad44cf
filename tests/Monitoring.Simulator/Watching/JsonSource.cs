using System.Text.Json;

namespace Monitoring.Simulator.Watching;

/// <summary>Reads JSON answers of one service; whatever goes wrong is an <see cref="UnreachableException"/>.</summary>
internal sealed class JsonSource(HttpClient http, Uri address)
{
    public Uri Address => address;

    public async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(address, path), cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new UnreachableException($"{address} answered {(int)response.StatusCode} to {path}");
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonSerializer.DeserializeAsync<T>(body, Wire.Options, cancellationToken)
                ?? throw new UnreachableException($"{address} answered null to {path}");
        }
        catch (HttpRequestException e)
        {
            throw new UnreachableException($"{address} cannot be reached: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new UnreachableException($"{address} broke off its answer to {path}: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new UnreachableException($"{address} gave no usable answer to {path}: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UnreachableException($"{address} did not answer {path} in time", e);
        }
    }
}

/// <summary>A service that gave no usable answer; the message says which and why.</summary>
internal sealed class UnreachableException(string message, Exception? inner = null) : Exception(message, inner);
