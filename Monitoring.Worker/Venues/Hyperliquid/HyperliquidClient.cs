using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Http;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// The venue's <c>POST /info</c>. Faults of transport and server are tried again with jitter, within the caller's
/// deadline; what comes back without usable data is a <see cref="MissingDataException"/>, what stays unreachable a
/// <see cref="SourceUnavailableException"/>.
/// </summary>
internal sealed class HyperliquidClient(HttpClient http, WeightBudget budget, HyperliquidPipeline pipeline, LeftOutParts leftOut)
{
    /// <summary>Name of the configured <see cref="HttpClient"/>.</summary>
    public const string Name = "hyperliquid";

    /// <summary>What a request for a vault, for the markets or for the ledger weighs; lists weigh more by their items.</summary>
    public const int DetailsWeight = 20;

    /// <summary>What a request for an account's positions weighs.</summary>
    public const int StateWeight = 2;

    /// <summary>What a request for an account's fills weighs, without the fills.</summary>
    public const int FillsWeight = 20;

    private const int FillsPerWeight = 20;

    private const int MostOfExcerpt = 120;

    /// <summary>So many fills are in one answer at most.</summary>
    public const int FillsPerPage = 2000;

    /// <summary>A vault with its portfolio.</summary>
    public async Task<VaultDetails> GetVaultDetailsAsync(string vaultAddress, CancellationToken cancellationToken)
    {
        var details = await PostAsync<VaultDetails>(
            "vaultDetails", new { type = "vaultDetails", vaultAddress }, DetailsWeight, cancellationToken);
        return details.VaultAddress.Equals(vaultAddress, StringComparison.OrdinalIgnoreCase)
            ? Note($"vaultDetails of {vaultAddress}", details)
            : throw new MissingDataException($"hyperliquid vaultDetails: asked for {vaultAddress}, answered for {details.VaultAddress}");
    }

    /// <summary>An account's perpetual positions on the venue's main exchange.</summary>
    public async Task<ClearinghouseState> GetClearinghouseStateAsync(string user, CancellationToken cancellationToken) =>
        Note($"clearinghouseState of {user}", await PostAsync<ClearinghouseState>(
            "clearinghouseState", new { type = "clearinghouseState", user }, StateWeight, cancellationToken));

    /// <summary>Every listed perpetual with its prices and open interest.</summary>
    public async Task<Markets> GetMarketsAsync(CancellationToken cancellationToken) => Note("metaAndAssetCtxs",
        await PostAsync<Markets>("metaAndAssetCtxs", new { type = "metaAndAssetCtxs" }, DetailsWeight, cancellationToken));

    /// <summary>
    /// An account's fills from <paramref name="start"/> on, both ends included, at most <see cref="FillsPerPage"/>: the
    /// oldest of them or, <paramref name="reversed"/>, the newest. The order within the answer is not to be relied on,
    /// and what is older than about the 10,000 newest is silently not there.
    /// </summary>
    public async Task<ReadableList<Fill>> GetUserFillsByTimeAsync(
        string user, DateTimeOffset start, DateTimeOffset? end, bool reversed, CancellationToken cancellationToken)
    {
        var (startTime, endTime) = (start.ToUnixTimeMilliseconds(), end?.ToUnixTimeMilliseconds());
        object body = endTime is null && !reversed
            ? new { type = "userFillsByTime", user, startTime }
            : new { type = "userFillsByTime", user, startTime, endTime, reversed };
        return Note($"userFillsByTime of {user}", await PostAsync<ReadableList<Fill>>("userFillsByTime", body, FillsWeight,
            cancellationToken, mostForItems: FillsPerPage / FillsPerWeight,
            weighItems: fills => (fills.Total + FillsPerWeight - 1) / FillsPerWeight));
    }

    /// <summary>
    /// An account's deposits, withdrawals and transfers from <paramref name="start"/> on, both ends included:
    /// the oldest 2000 of them.
    /// </summary>
    public async Task<ReadableList<LedgerUpdate>> GetLedgerAsync(
        string user, DateTimeOffset start, DateTimeOffset? end, CancellationToken cancellationToken)
    {
        var (startTime, endTime) = (start.ToUnixTimeMilliseconds(), end?.ToUnixTimeMilliseconds());
        object body = endTime is null
            ? new { type = "userNonFundingLedgerUpdates", user, startTime }
            : new { type = "userNonFundingLedgerUpdates", user, startTime, endTime };
        return Note($"userNonFundingLedgerUpdates of {user}", await PostAsync<ReadableList<LedgerUpdate>>("userNonFundingLedgerUpdates",
            body, FillsWeight, cancellationToken, mostForItems: FillsPerPage / FillsPerWeight,
            weighItems: updates => (updates.Total + FillsPerWeight - 1) / FillsPerWeight));
    }

    private T Note<T>(string answer, T parts) where T : IPartlyReadable
    {
        leftOut.Note(answer, parts.Unreadable);
        return parts;
    }

    private async Task<T> PostAsync<T>(
        string type, object body, int weight, CancellationToken cancellationToken, int mostForItems = 0, Func<T, int>? weighItems = null)
        where T : class
    {
        Exception? last = null;
        try
        {
            return await pipeline.Value.ExecuteAsync(async token =>
            {
                try
                {
                    return await (weighItems is null
                        ? AttemptAsync<T>(type, body, weight, token)
                        : AttemptWithItemsAsync(type, body, weight, mostForItems, weighItems, token));
                }
                catch (Exception fault) when (fault is SourceUnavailableException or TimeoutRejectedException)
                {
                    last = fault;
                    throw;
                }
            }, cancellationToken);
        }
        catch (OperationCanceledException fault) when (last is not null && fault is not WaitCutOffException)
        {
            // The time was over before the next attempt: what was wrong is what the last one met.
            throw new WaitCutOffException(last is SourceUnavailableException ? last.Message : NoAnswer(type), cancellationToken);
        }
        catch (BrokenCircuitException fault)
        {
            throw new SourceUnavailableException(
                $"hyperliquid {type}: not asked, the venue keeps failing: {fault.InnerException?.Message}", fault);
        }
        catch (TimeoutRejectedException fault)
        {
            throw new SourceUnavailableException(NoAnswer(type), fault);
        }
    }

    private static string NoAnswer(string type) =>
        $"hyperliquid {type}: no answer within {HyperliquidPipeline.AttemptTimeout.TotalSeconds:0} s";

    // Several times what the venue's largest answers have.
    private static int MostBytes(string type) => type switch
    {
        "userFillsByTime" or "userNonFundingLedgerUpdates" => 4 << 20, // 2,000 items of about 400 bytes
        "vaultDetails" => 2 << 20,
        _ => 1 << 20,
    };

    // The venue weighs the items after it has sent them. The most that they can weigh is spent before, so that the
    // limit holds whatever comes, and the rest returned.
    private async Task<T> AttemptWithItemsAsync<T>(
        string type, object body, int weight, int mostForItems, Func<T, int> weighItems, CancellationToken cancellationToken)
        where T : class
    {
        var spent = mostForItems;
        try
        {
            var answer = await AttemptAsync<T>(type, body, weight + mostForItems, cancellationToken);
            spent = Math.Min(mostForItems, weighItems(answer));
            return answer;
        }
        catch (SourceUnavailableException)
        {
            spent = 0; // refused or failed: no items
            throw;
        }
        finally
        {
            budget.Return(mostForItems - spent);
        }
    }

    private async Task<T> AttemptAsync<T>(string type, object body, int weight, CancellationToken cancellationToken) where T : class
    {
        await budget.SpendAsync(weight, cancellationToken);
        try
        {
            return await pipeline.Attempt.ExecuteAsync(async token =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "info") { Content = SourceHttp.Json(body) };
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
                await ThrowUnlessOkAsync(type, response, token);
                return Parse<T>(type, response.Content.Headers.ContentType?.MediaType, await ReadAsync(type, response, token));
            }, cancellationToken);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw new SourceUnavailableException($"hyperliquid {type}: {fault.Message}", fault);
        }
    }

    private async Task ThrowUnlessOkAsync(string type, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.OK)
            return;
        if (response.StatusCode == HttpStatusCode.TooManyRequests)
        {
            var wait = response.Headers.RetryAfter switch
            {
                { Delta: { } delta } => delta,
                { Date: { } date } => date - (response.Headers.Date ?? date.AddSeconds(-10)),
                _ => TimeSpan.FromSeconds(10), // the limit is a sliding minute; a sixth of it frees 200 weight
            };
            wait = TimeSpan.FromSeconds(Math.Clamp(wait.TotalSeconds, 1, 60));
            budget.Pause(wait);
            throw new SourceUnavailableException(
                $"hyperliquid {type}: HTTP 429, over the rate limit; waiting {wait.TotalSeconds:0} s", retryAfter: wait);
        }

        if (SourceHttp.FindRedirect(response) is { } redirect)
            throw new MissingDataException($"hyperliquid {type}: {redirect}");
        var text = Excerpt(await HttpAnswers.ReadBeginningAsync(response, MostOfExcerpt, cancellationToken));
        var message = $"hyperliquid {type}: HTTP {(int)response.StatusCode} {text}";
        throw (int)response.StatusCode >= 500 ? new SourceUnavailableException(message) : new MissingDataException(message);
    }

    private static async Task<byte[]> ReadAsync(string type, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return await SourceHttp.ReadAsync(response, MostBytes(type), cancellationToken);
        }
        catch (MissingDataException fault)
        {
            throw new MissingDataException($"hyperliquid {type}: {fault.Message}", fault);
        }
    }

    private static T Parse<T>(string type, string? mediaType, byte[] body) where T : class
    {
        if (body.Length == 0)
            throw new MissingDataException($"hyperliquid {type}: the answer is empty");
        try
        {
            var answer = JsonSerializer.Deserialize<T>(Utf8.IsValid(body) ? body : Repair(body), HyperliquidJson.Options)
                ?? throw new MissingDataException($"hyperliquid {type}: the answer is null, the venue knows nothing of it");
            return answer is IPartlyReadable { IsAllUnreadable: true } parts
                ? throw new JsonException($"no part of it can be read, {UnreadablePart.Describe(parts.Unreadable)}.") : answer;
        }
        catch (Exception fault) when (HyperliquidJson.IsOfTheText(fault))
        {
            throw new MissingDataException(
                $"hyperliquid {type}: unexpected answer ({mediaType ?? "no content type"}): {SourceHttp.Describe(fault, body)} "
                + $"It begins: {Excerpt(body)}",
                fault);
        }
    }

    // A name with a byte that no text has is one bad name, and not a bad answer.
    private static byte[] Repair(byte[] body) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body));

    private static string Excerpt(byte[] body) =>
        string.Join(' ', Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, MostOfExcerpt))).Split(
            (char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>How often and how long the venue is tried: one for all its requests, so that they share the circuit breaker.</summary>
internal sealed class HyperliquidPipeline(TimeProvider clock)
{
    /// <summary>How long one attempt may take.</summary>
    public static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(10);

    private static readonly PredicateBuilder<object> Transient =
        new PredicateBuilder().Handle<SourceUnavailableException>().Handle<TimeoutRejectedException>();

    /// <summary>
    /// Three retries from half a second, and a breaker that opens for five seconds when nearly all of ten attempts failed.
    /// </summary>
    public ResiliencePipeline Value { get; } = new ResiliencePipelineBuilder { TimeProvider = clock }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = Transient,
            MaxRetryAttempts = 3,
            Delay = TimeSpan.FromMilliseconds(500),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            MaxDelay = TimeSpan.FromSeconds(10),
            DelayGenerator = arguments => new((arguments.Outcome.Exception as SourceUnavailableException)?.RetryAfter),
        })
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            ShouldHandle = Transient,
            FailureRatio = 0.9,
            MinimumThroughput = 10,
            SamplingDuration = TimeSpan.FromSeconds(30),
            BreakDuration = TimeSpan.FromSeconds(5),
        })
        .Build();

    /// <summary>The deadline of one attempt. Waiting for the weight budget does not count.</summary>
    public ResiliencePipeline Attempt { get; } = new ResiliencePipelineBuilder { TimeProvider = clock }.AddTimeout(AttemptTimeout).Build();
}
