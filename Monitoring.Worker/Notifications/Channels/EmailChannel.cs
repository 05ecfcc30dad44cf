using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Monitoring.Data.Events;
using Monitoring.Data.Logging;
using MailAddress = System.Net.Mail.MailAddress;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>
/// Sends mail as plain text by MailKit. Repeats carry the same Message-ID, and the messages about one event refer to one another.
/// </summary>
internal sealed partial class EmailChannel(EmailOptions options, TimeProvider clock, ILogger<EmailChannel> logger) : INotificationChannel
{
    public const string ChannelName = "email";

    /// <summary>How long one attempt may take. Longer than over HTTP: servers let strangers wait for their greeting.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private const int MostOfSubject = 200;
    private const int MostOfBody = 100_000;
    private const int MostOfReason = 300;

    /// <inheritdoc/>
    public string Name => ChannelName;

    /// <inheritdoc/>
    public async Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var mail = Write(message);
        using var smtp = new PatientClient();
        try
        {
            await smtp.ConnectAsync(options.Host, options.Port, options.Security, either.Token);
            if (options.Account is not null)
                await smtp.AuthenticateAsync(Encoding.UTF8, options.Account, either.Token);
            await smtp.SendAsync(mail, either.Token);
            // The mail is taken: whatever comes of the goodbye must not send it again.
            await smtp.DisconnectAsync(quit: true, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return Judge(smtp.Refused, options.To.Count);
        }
        catch (SmtpCommandException) when (smtp.Refused.Count >= options.To.Count)
        {
            return Judge(smtp.Refused, options.To.Count);
        }
        catch (Exception fault) when (Answer(fault) is { } answer)
        {
            var reason = Clean($"SMTP {(int)answer.StatusCode}: {answer.Message}");
            return IsFinal(answer.StatusCode) ? new DeliveryOutcome.Dead(reason) : new DeliveryOutcome.Retry(reason);
        }
        catch (Exception fault) when (fault is ProtocolException or IOException or SocketException or SslHandshakeException
            or AuthenticationException or NotSupportedException)
        {
            return new DeliveryOutcome.Retry(Clean(fault.Message));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DeliveryOutcome.Retry($"no answer within {Deadline.TotalSeconds:0} s");
        }
    }

    // The mail went to the recipients that the server took. One that it will never take must not make the others read everything again
    // and again.
    private DeliveryOutcome Judge(List<(string Recipient, SmtpResponse Answer)> refused, int recipients)
    {
        if (refused.Count == 0)
            return new DeliveryOutcome.Delivered();
        var reason = Clean(string.Join(
            "; ", refused.Select(one => $"{one.Recipient}: SMTP {(int)one.Answer.StatusCode}: {one.Answer.Response}")));
        if (!refused.All(one => IsFinal(one.Answer.StatusCode)))
            return new DeliveryOutcome.Retry(reason);
        if (refused.Count >= recipients)
            return new DeliveryOutcome.Dead(reason);
        LogRefused(reason);
        return new DeliveryOutcome.Delivered();
    }

    private static SmtpCommandException? Answer(Exception fault) =>
        fault as SmtpCommandException ?? (fault as AuthenticationException)?.InnerException as SmtpCommandException;

    private static bool IsFinal(SmtpStatusCode status) => (int)status is >= 500 and < 600;

    private MimeMessage Write(NotificationMessage message)
    {
        var (head, body) = message.Entries is [var only]
            ? (MessageWords.Plain(only), Single(only))
            : ($"{message.Entries.Count} events: {MessageWords.Count(message.Entries)}", Group(message));
        var mail = new MimeMessage
        {
            MessageId = $"{message.NotificationId}@{options.From.Host}",
            Date = clock.GetUtcNow(),
            Subject = ChannelText.Cut($"{(message.IsTest ? "[TEST] " : "")}[Monitoring] {head}", MostOfSubject),
            Body = new TextPart("plain")
            {
                ContentTransferEncoding = ContentEncoding.QuotedPrintable,
                Text = $"{body}\n\nnotification {message.NotificationId}\n".ReplaceLineEndings("\r\n"), // as lines end in mail
            },
        };
        mail.From.Add(Mailbox(options.From));
        mail.To.AddRange(options.To.Select(Mailbox));
        mail.Headers[HeaderId.AutoSubmitted] = "auto-generated";
        if (message.Entries is [var entry])
            mail.References.Add($"event-{entry.EventId}@{options.From.Host}");
        if (message.Entries.Any(one => one.Severity == Severity.Critical && !one.Kind.Ends()))
            (mail.Priority, mail.XPriority, mail.Importance) = (MessagePriority.Urgent, XMessagePriority.Highest, MessageImportance.High);
        return mail;
    }

    private static MailboxAddress Mailbox(MailAddress address) => new(address.DisplayName, address.Address);

    private static string Single(NotificationEntry entry)
    {
        var lines = new List<string> { PlainText.OneLine(entry.Title), "" };
        if (!string.IsNullOrWhiteSpace(entry.Description))
            lines.AddRange([ChannelText.Cut(PlainText.OneLine(entry.Description), 4000), ""]);
        lines.AddRange(
        [
            $"What      {MessageWords.Word(entry.Kind)}, {MessageWords.Word(entry.Severity)}, {PlainText.OneLine(entry.ThreatType)}",
            $"When      {MessageWords.When(entry)}",
            $"Subject   {PlainText.OneLine(entry.Subject)}",
            $"Rule      {PlainText.OneLine(entry.RuleId)}",
        ]);
        if (MessageWords.Note(entry) is { } note)
            lines.Add($"Note      {note}");
        if (entry.Link is { } link)
            lines.Add($"Event     {link.AbsoluteUri}");
        if (MessageWords.Facts(entry) is { Count: > 0 } facts)
            lines.AddRange(["", "Evidence", .. facts.Select(fact => $"  {fact.Name}: {fact.Value}")]);
        if (entry.AffectedAddresses.Count > 0)
            lines.AddRange(["", "Addresses", .. entry.AffectedAddresses.Select(address => $"  {PlainText.OneLine(address)}")]);
        return ChannelText.Fit(lines, MostOfBody, taken => $"… and {lines.Count - taken} more lines");
    }

    private static string Group(NotificationMessage message)
    {
        var ranked = MessageWords.Ranked(message);
        return ChannelText.Fit([MessageWords.Count(ranked), "", .. ranked.Select(Line)], MostOfBody,
            taken => $"… and {MessageWords.Count(ranked.Skip(taken - 2))}");
    }

    private static string Line(NotificationEntry entry) => $"{ChannelText.Cut(MessageWords.Plain(entry), 300)} "
        + $"({MessageWords.When(entry)}){(entry.Link is { } link ? $"\n  {link.AbsoluteUri}" : "")}";

    private static string Clean(string text) => ChannelText.Cut(PlainText.OneLine(text), MostOfReason);

    [LoggerMessage(LogLevel.Warning, "a mail did not go to all recipients: {Reason}")]
    private partial void LogRefused(string reason);

    /// <summary>Goes on with the other recipients when the server refuses one, and notes whom it refused and why.</summary>
    private sealed class PatientClient : SmtpClient
    {
        public PatientClient()
        {
            Timeout = (int)Deadline.TotalMilliseconds;
            CheckCertificateRevocation = false; // many an own authority publishes no list
            ServerCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.None;
        }

        public List<(string Recipient, SmtpResponse Answer)> Refused { get; } = [];

        protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) =>
            Refused.Add((mailbox.Address, response));
    }
}
