using System.Text;
using System.Text.RegularExpressions;
using Monitoring.Tests.CommandLine;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Tests.Notifications;

public sealed partial class EmailChannelTests
{
    private static readonly string[] Cases = ["opened", "escalated", "resolved", "grouped", "test"];
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private SmtpServerUnderTest _server = null!;

    [SetUp]
    public void Start() => _server = new SmtpServerUnderTest();

    [TearDown]
    public async Task Stop() => await _server.DisposeAsync();

    private async Task<DeliveryOutcome> SendAsync(
        NotificationMessage message, string to = "Risk <risk@example.org>, night@example.org", string query = "?starttls=off")
    {
        await using var channels = ChannelSample.Channels(
            _clock, ("SMTP_URL", $"smtp://127.0.0.1:{_server.Port}{query}"), ("ADMIN_EMAIL", to), ("SMTP_FROM", "monitoring@example.org"));
        return await channels.Named("email").SendAsync(message, default);
    }

    [Test]
    public async Task Messages_are_the_committed_mails([ValueSource(nameof(Cases))] string message)
    {
        Assert.That(await SendAsync(ChannelSample.Case(message)), Is.EqualTo(new DeliveryOutcome.Delivered()));
        Assert.That(_server.Commands, Does.Contain("MAIL FROM:<monitoring@example.org>")
            .And.Contain("RCPT TO:<risk@example.org>").And.Contain("RCPT TO:<night@example.org>"));
        Snapshot.Matches(
            $"tests/Monitoring.Tests/Notifications/Golden/email-{message}.txt", Date().Replace(_server.Mails.Single().Text, "Date: …"));
    }

    [Test]
    public async Task Hostile_text_makes_no_header()
    {
        var entry = ChannelSample.Hostile("x\r\nBcc: thief@example.org\r\n\r\n.\r\nMAIL FROM:<a@b> \u0000 🎉");
        Assert.That(await SendAsync(ChannelSample.Message(entry)), Is.EqualTo(new DeliveryOutcome.Delivered()));
        Assert.That(_server.Mails.Single().Text.Split('\n'), Has.None.StartsWith("Bcc:"));
        Assert.That(_server.Commands.Count(command => command.StartsWith("MAIL", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [TestCase("MAIL", "451 later", false)]
    [TestCase("MAIL", "550 never", true)]
    [TestCase("END OF DATA", "452 full", false)]
    [TestCase("END OF DATA", "554 refused", true)]
    [TestCase("RCPT", "450 greylisted", false)]
    [TestCase("RCPT", "550 unknown", true)]
    [TestCase("DATA", "421 closing", false)]
    [TestCase("QUIT", "500 what?", null)]
    public async Task Answer_decides_whether_it_is_tried_again(string command, string answer, bool? dead)
    {
        _server.Answer = said => said.StartsWith(command, StringComparison.Ordinal) ? answer : null;
        var outcome = await SendAsync(ChannelSample.Message(ChannelSample.Loss()));
        Assert.That(outcome, dead switch
        {
            true => Is.TypeOf<DeliveryOutcome.Dead>(),
            false => Is.TypeOf<DeliveryOutcome.Retry>(),
            null => Is.TypeOf<DeliveryOutcome.Delivered>(),
        });
        if (dead is not null)
            Assert.That($"{outcome}", Does.Contain(answer[..3]));
        if (command == "RCPT")
            Assert.That(_server.Mails, Is.Empty);
    }

    [Test]
    public async Task Nobody_at_the_address_is_tried_again()
    {
        await using var channels = ChannelSample.Channels(_clock, ("SMTP_URL", "smtps://127.0.0.1:1"), ("ADMIN_EMAIL", "a@example.org"));
        Assert.That(await channels.Named("email").SendAsync(ChannelSample.Message(ChannelSample.Loss()), default),
            Is.TypeOf<DeliveryOutcome.Retry>());
    }

    [Test]
    public async Task One_unknown_recipient_of_two_does_not_stop_the_mail()
    {
        _server.Answer = said => said == "RCPT TO:<night@example.org>" ? "550 unknown" : null;
        Assert.That(await SendAsync(ChannelSample.Message(ChannelSample.Loss())), Is.EqualTo(new DeliveryOutcome.Delivered()));
        Assert.That(_server.Mails, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Silence_ends_after_thirty_seconds()
    {
        _server.Answer = said => said.StartsWith("MAIL", StringComparison.Ordinal) ? "" : null;
        var sending = SendAsync(ChannelSample.Message(ChannelSample.Loss()));
        await _server.Silent.Task;
        _clock.Advance(EmailChannel.Deadline);
        Assert.That(await sending, Is.EqualTo(new DeliveryOutcome.Retry("no answer within 30 s")));
    }

    [Test]
    public async Task Mail_that_was_taken_is_delivered_even_where_the_goodbye_has_no_answer()
    {
        _server.Answer = said => said == "QUIT" ? "" : null;
        var sending = SendAsync(ChannelSample.Message(ChannelSample.Loss()));
        await _server.Silent.Task;
        _clock.Advance(EmailChannel.Deadline);
        Assert.That(await sending, Is.EqualTo(new DeliveryOutcome.Delivered()));
        Assert.That(_server.Mails, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Server_without_starttls_gets_no_mail_and_is_tried_again()
    {
        await using var plain = new SmtpServerUnderTest { OffersStartTls = false };
        await using var channels = ChannelSample.Channels(
            _clock, ("SMTP_URL", $"smtp://localhost:{plain.Port}"), ("ADMIN_EMAIL", "a@example.org"));
        Assert.That(await channels.Named("email").SendAsync(ChannelSample.Message(ChannelSample.Loss()), default),
            Is.TypeOf<DeliveryOutcome.Retry>());
        Assert.That(plain.Mails, Is.Empty);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Certificate_of_nobody_is_refused(bool implicitTls)
    {
        await using var server = new SmtpServerUnderTest { IsImplicitTls = implicitTls };
        await using var channels = ChannelSample.Channels(_clock, ("SMTP_URL", Url(server, "localhost")), ("ADMIN_EMAIL", "a@example.org"));
        Assert.That(await channels.Named("email").SendAsync(ChannelSample.Message(ChannelSample.Loss()), default),
            Is.TypeOf<DeliveryOutcome.Retry>());
        Assert.That(server.Mails, Is.Empty);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Own_authority_is_trusted_by_the_systems_setting_and_the_password_goes_encrypted(bool implicitTls)
    {
        await using var server = new SmtpServerUnderTest { IsImplicitTls = implicitTls };
        var (code, output, errors) = await NotifyTestAsync(server, "risk%40example.org:hunter%202@localhost");
        Assert.That((code, errors), Is.EqualTo((0, "")), output);
        Assert.That(server.Mails.Single().Encrypted, Is.True);
        Assert.That(server.Mails.Single().Text, Does.Contain("[TEST]"));
        Assert.That(server.Commands,
            Does.Contain("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes("\0risk@example.org\0hunter 2"))));
    }

    [Test]
    public async Task Certificate_of_another_name_is_refused()
    {
        await using var server = new SmtpServerUnderTest { IsImplicitTls = true };
        var (code, output, errors) = await NotifyTestAsync(server, "127.0.0.1");
        Assert.That(code, Is.EqualTo(1), output + errors);
        Assert.That(server.Mails, Is.Empty);
    }

    [Test]
    public async Task Refused_password_is_not_tried_again()
    {
        await using var server = new SmtpServerUnderTest { IsImplicitTls = true };
        server.Answer = said => said.StartsWith("AUTH", StringComparison.Ordinal) ? "535 wrong" : null;
        var (code, output, errors) = await NotifyTestAsync(server, "risk:hunter2@localhost");
        Assert.That((code, output + errors), Is.EqualTo((1, output + errors)));
        Assert.That(output + errors, Does.Contain("SMTP 535: wrong").And.Not.Contains("hunter2"));
        Assert.That(server.Mails, Is.Empty);
    }

    private static string Url(SmtpServerUnderTest server, string host) =>
        $"{(server.IsImplicitTls ? "smtps" : "smtp")}://{host}:{server.Port}";

    /// <summary>Runs the program, because only a process of its own can be made to trust the server's certificate.</summary>
    private static async Task<(int Code, string Output, string Errors)> NotifyTestAsync(SmtpServerUnderTest server, string host)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, server.CertificatePem);
        try
        {
            return await ProgramUnderTest.RunAsync("Monitoring.Worker", "notify test email",
                ("SSL_CERT_FILE", file), ("SMTP_URL", Url(server, host)), ("ADMIN_EMAIL", "risk@example.org"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [GeneratedRegex("^Date: .*$", RegexOptions.Multiline, 1000)]
    private static partial Regex Date();
}
