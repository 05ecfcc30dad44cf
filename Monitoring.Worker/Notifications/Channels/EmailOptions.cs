using System.Net;
using System.Net.Mail;
using MailKit.Security;
using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>The mail server and how the way to it is encrypted, who writes and who reads.</summary>
internal sealed record EmailOptions(
    string Host, int Port, NetworkCredential? Account, SecureSocketOptions Security, MailAddress From, IReadOnlyList<MailAddress> To)
{
    private const string UrlForm =
        "smtp://user:password@host:587, which uses STARTTLS, smtps://user:password@host:465, which is encrypted from the "
        + "first byte, or smtp://host:25?starttls=off";
    private const string MostForm = "e-mail addresses, separated by commas";

    /// <summary>Reads the settings; null where the channel is off.</summary>
    public static EmailOptions? Read(SettingsReader settings)
    {
        var url = settings.Secret("Notifications:Email:SmtpUrl", "SMTP_URL", UrlForm);
        var to = settings.Optional("Notifications:Email:To", "ADMIN_EMAIL", MostForm, ParseList);
        var from = settings.Optional("Notifications:Email:From", "SMTP_FROM", "an e-mail address",
            text => MailAddress.TryCreate(text, out var address) ? address : null);
        if (url is null && to is not null && !settings.HasFault("SMTP_URL"))
            settings.Refuse("SMTP_URL", "is not set, but ADMIN_EMAIL is; set both or neither");
        if (url is not null && to is null && !settings.HasFault("ADMIN_EMAIL"))
            settings.Refuse("ADMIN_EMAIL", "is not set, but SMTP_URL is; set both or neither");
        return url is null || to is null ? null : ParseUrl(settings, url, from, to);
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(EmailOptions); // without secrets

    private static EmailOptions? ParseUrl(SettingsReader settings, string text, MailAddress? from, List<MailAddress> to)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url is not { Host.Length: > 0, AbsolutePath: "" or "/" }
            || Encryption(url) is not { } security)
        {
            settings.Refuse("SMTP_URL", $"is not allowed; it must be {UrlForm}");
            return null;
        }

        var user = Uri.UnescapeDataString(url.UserInfo.Split(':')[0]);
        var password = url.UserInfo.IndexOf(':') is >= 0 and var colon ? Uri.UnescapeDataString(url.UserInfo[(colon + 1)..]) : "";
        if (user.Length > 0 && security == SecureSocketOptions.None && !url.IsLoopback)
        {
            settings.Refuse("SMTP_URL", "names a password and starttls=off, which would send it readable; leave one of them out");
            return null;
        }

        // Servers want the account's own address as the sender.
        from ??= MailAddress.TryCreate(user, out var account) ? account : to[0];
        var port = url.Port > 0 ? url.Port : security == SecureSocketOptions.SslOnConnect ? 465 : 587;
        return new EmailOptions(url.Host, port, user.Length > 0 ? new NetworkCredential(user, password) : null, security, from, to);
    }

    private static SecureSocketOptions? Encryption(Uri url) => (url.Scheme, url.Query) switch
    {
        ("smtp", "") => SecureSocketOptions.StartTls,
        ("smtps", "") => SecureSocketOptions.SslOnConnect,
        ("smtp", "?starttls=off") => SecureSocketOptions.None,
        _ => null,
    };

    private static List<MailAddress>? ParseList(string text)
    {
        var addresses = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(one => MailAddress.TryCreate(one, out var address) ? address : null).ToList();
        return addresses.Count > 0 && !addresses.Contains(null) ? [.. addresses.OfType<MailAddress>()] : null;
    }
}
