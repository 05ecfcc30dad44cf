namespace Monitoring.Worker.Checks;

/// <summary>Lets the answers of a source say what time the source has, by their header <c>Date</c>, which counts whole seconds.</summary>
internal sealed class SourceClocks(string source, WorkerClock clock) : DelegatingHandler
{
    private static readonly TimeSpan HalfSecond = TimeSpan.FromSeconds(0.5);

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var askedAt = clock.GetTimestamp();
        var response = await base.SendAsync(request, cancellationToken);
        // What a cache kept says when it was kept.
        if (response.Headers is { Date: { } date, Age: null or { Ticks: 0 } })
            clock.Hear(source, date + HalfSecond, HalfSecond, askedAt);
        return response;
    }
}

/// <summary>Adds it to clients.</summary>
internal static class SourceClockServices
{
    /// <summary>Takes what time this client's source has from its answers.</summary>
    public static IHttpClientBuilder TellTime(this IHttpClientBuilder client, string source) =>
        client.AddHttpMessageHandler(provider => new SourceClocks(source, provider.GetRequiredService<WorkerClock>()));
}
