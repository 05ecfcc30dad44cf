using System.Net.Mail;
using System.Net.Mime;
using System.Text;
using Monitoring.Data.Events;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>
/// Sends mail as plain text by the framework's own SMTP client. Repeats carry the same Message-ID, and the messages about one event refer to one another.
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
        using var smtp = new SmtpClient(options.Host, options.Port) { EnableSsl = options.StartTls, Credentials = options.Account };
        try
        {
            await smtp.SendMailAsync(mail, either.Token);
            return new DeliveryOutcome.Delivered();
        }
        catch (SmtpFailedRecipientException fault)
        {
            return JudgeRecipients(fault);
        }
        catch (SmtpException fault)
        {
            var status = (int)fault.StatusCode;
            var reason = Clean(status > 0 ? $"SMTP {status}: {fault.Message}" : fault.GetBaseException().Message);
            return status is >= 500 and < 600 ? new DeliveryOutcome.Dead(reason) : new DeliveryOutcome.Retry(reason);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DeliveryOutcome.Retry($"no answer within {Deadline.TotalSeconds:0} s");
        }
    }

    // The mail went to the recipients that the server took. One that it will never take must not make the others read everything again and again.
    private DeliveryOutcome JudgeRecipients(SmtpFailedRecipientException fault)
    {
        var refused = fault is SmtpFailedRecipientsException { InnerExceptions.Length: > 0 } several ? several.InnerExceptions : [fault];
        var reason = Clean(string.Join("; ", refused.Select(one => $"{one.FailedRecipient}: SMTP {(int)one.StatusCode}: {one.Message}")));
        if (refused.Any(one => (int)one.StatusCode is < 500 or >= 600))
            return new DeliveryOutcome.Retry(reason);
        if (refused.Length >= options.To.Count)
            return new DeliveryOutcome.Dead(reason);
        LogRefused(reason);
        return new DeliveryOutcome.Delivered();
    }

    private MailMessage Write(NotificationMessage message)
    {
        var (head, body) = message.Entries is [var only] ? (MessageWords.Plain(only), Single(only)) : ($"{message.Entries.Count} events: {MessageWords.Count(message.Entries)}", Group(message));
        var mail = new MailMessage
        {
            From = options.From,
            Subject = ChannelText.Cut($"{(message.IsTest ? "[TEST] " : "")}[Monitoring] {head}", MostOfSubject),
            SubjectEncoding = Encoding.UTF8,
            Body = $"{body}\n\nnotification {message.NotificationId}\n".ReplaceLineEndings("\r\n"), // as lines end in mail
            BodyEncoding = Encoding.UTF8,
            BodyTransferEncoding = TransferEncoding.QuotedPrintable,
            Priority = message.Entries.Any(entry => entry.Severity == Severity.Critical && !entry.Kind.Ends()) ? MailPriority.High
                : MailPriority.Normal,
        };
        foreach (var recipient in options.To)
            mail.To.Add(recipient);
        mail.Headers["Message-ID"] = $"<{message.NotificationId}@{options.From.Host}>";
        mail.Headers["Auto-Submitted"] = "auto-generated";
        if (message.Entries is [var entry])
            mail.Headers["References"] = $"<event-{entry.EventId}@{options.From.Host}>";
        return mail;
    }

    private static string Single(NotificationEntry entry)
    {
        var lines = new List<string> { ChannelText.OneLine(entry.Title), "" };
        if (!string.IsNullOrWhiteSpace(entry.Description))
            lines.AddRange([ChannelText.Cut(ChannelText.OneLine(entry.Description), 4000), ""]);
        lines.AddRange(
        [
            $"What      {MessageWords.Word(entry.Kind)}, {MessageWords.Word(entry.Severity)}, {ChannelText.OneLine(entry.ThreatType)}",
            $"When      {MessageWords.When(entry)}",
            $"Subject   {ChannelText.OneLine(entry.Subject)}",
            $"Rule      {ChannelText.OneLine(entry.RuleId)}",
        ]);
        if (MessageWords.Note(entry) is { } note)
            lines.Add($"Note      {note}");
        if (entry.Link is { } link)
            lines.Add($"Event     {link.AbsoluteUri}");
        if (MessageWords.Facts(entry) is { Count: > 0 } facts)
            lines.AddRange(["", "Evidence", .. facts.Select(fact => $"  {fact.Name}: {fact.Value}")]);
        if (entry.AffectedAddresses.Count > 0)
            lines.AddRange(["", "Addresses", .. entry.AffectedAddresses.Select(address => $"  {ChannelText.OneLine(address)}")]);
        return ChannelText.Fit(lines, MostOfBody, taken => $"… and {lines.Count - taken} more lines");
    }

    private static string Group(NotificationMessage message)
    {
        var ranked = MessageWords.Ranked(message);
        return ChannelText.Fit([MessageWords.Count(ranked), "", .. ranked.Select(Line)], MostOfBody, taken => $"… and {MessageWords.Count(ranked.Skip(taken - 2))}");
    }

    private static string Line(NotificationEntry entry) => $"{ChannelText.Cut(MessageWords.Plain(entry), 300)} ({MessageWords.When(entry)}){(entry.Link is { } link ? $"\n  {link.AbsoluteUri}" : "")}";

    private static string Clean(string text) => ChannelText.Cut(ChannelText.OneLine(text), MostOfReason);

    [LoggerMessage(LogLevel.Warning, "a mail did not go to all recipients: {Reason}")]
    private partial void LogRefused(string reason);
}
