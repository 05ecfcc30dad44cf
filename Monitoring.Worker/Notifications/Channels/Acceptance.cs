using System.Text;
using System.Text.Json;
using Monitoring.Worker.Http;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>
/// Whether a service's answer with a status of success proves that it took the message: a sign-in page, a proxy or the service's own error
/// can come with 200 too.
/// </summary>
internal delegate bool Acceptance(byte[] answer);

/// <summary>The proofs of the services.</summary>
internal static class Acceptances
{
    /// <summary>The operator's own address: anything but a page for people.</summary>
    public static bool IsNoPage(byte[] answer) => !HttpAnswers.IsPage(answer);

    /// <summary>Slack answers <c>ok</c>; what speaks its language answers that, or <c>{"ok":true}</c>, <c>{"success":true}</c>.</summary>
    public static bool SaysOk(byte[] answer) =>
        Encoding.UTF8.GetString(answer).Trim() == "ok" || IsOk(answer)
        || Has(answer, "success", value => value.ValueKind == JsonValueKind.True);

    /// <summary>Telegram answers <c>{"ok":true,"result":…}</c>.</summary>
    public static bool IsOk(byte[] answer) => Has(answer, "ok", value => value.ValueKind == JsonValueKind.True);

    /// <summary>Discord answers the message that it stored, with its <c>id</c>.</summary>
    public static bool HasId(byte[] answer) => Has(answer, "id", value => value.ValueKind == JsonValueKind.String);

    /// <summary>PagerDuty answers <c>{"status":"success",…}</c>.</summary>
    public static bool IsSuccess(byte[] answer) => Has(answer, "status", value => value.ValueEquals("success"));

    private static bool Has(byte[] answer, string member, Func<JsonElement, bool> isRight)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(member, out var value)
                && isRight(value);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException) // no JSON, cut, or a value of another kind
        {
            return false;
        }
    }
}
