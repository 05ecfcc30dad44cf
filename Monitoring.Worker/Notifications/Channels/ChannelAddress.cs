using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>Reads an address that is a secret, because whoever knows it can write there.</summary>
internal static class ChannelAddress
{
    private const string Form = "an http or https address without user and password";

    /// <summary>The address, or null where it is not set or malformed; no fault repeats it.</summary>
    public static Uri? Read(SettingsReader settings, string key, string shortName)
    {
        if (settings.Secret(key, shortName, Form) is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https", UserInfo: "" })
            return address;
        settings.Refuse(shortName, $"is not allowed; it must be {Form}");
        return null;
    }
}
