using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Monitoring.Data.Logging;
using Monitoring.Tests.CommandLine;
using Monitoring.Tests.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Logging;

/// <summary>What must not leave: characters that show other than they read, secrets of addresses, files for other accounts.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class LeakTests
{
    private const string Hostile = "BTC\u001b[2J\u009b31m\u202Egnp.exe\u2066\u200e\r\n2026-11-21 ERROR forged\u0007";

    private static readonly UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = TestFolder.Create();
    private readonly TestLogs _logs = new();

    [TearDown]
    public void TakeFolderAway() => TestFolder.Delete(_folder);

    private static bool IsClean(string text) =>
        !text.Any(c => char.IsControl(c)
            || c is >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069' or '\u200e' or '\u200f' or '\u061c');

    [TestCase("a\u001b[31mb", "a [31mb")]
    [TestCase("a\u202Eb\u2066c\u200fd", "abcd")]
    [TestCase("a\r\n\tb\u0000c\u2028d", "a b c d")]
    [TestCase(" \u0007 a \u009b ", "a")]
    [TestCase("a\ud800b", "ab")]
    [TestCase("кириллица, 中文, 👩‍👩‍👧", "кириллица, 中文, 👩‍👩‍👧")]
    public void Any_text_is_one_plain_line(string text, string expected) => Assert.That(PlainText.OneLine(text), Is.EqualTo(expected));

    [Test]
    public void Log_shows_nothing_that_controls_a_terminal_or_forges_a_line()
    {
        using var services = new ServiceCollection().AddLogging(logging => logging.AddOperatorConsole()).BuildServiceProvider();
        var formatter = services.GetServices<ConsoleFormatter>().Single(one => one.Name == "operator");
        var output = new StringWriter();
        formatter.Write(
            new LogEntry<string>(LogLevel.Error, "Part", default, Hostile, new InvalidOperationException(Hostile), (state, _) => state),
            null, output);
        var lines = output.ToString().Split('\n');
        Assert.That(lines, Has.All.Matches<string>(IsClean));
        Assert.That(lines[0], Does.EndWith("Part: BTC [2J 31mgnp.exe 2026-11-21 ERROR forged"));
    }

    [TestCaseSource(typeof(ChannelSample), nameof(ChannelSample.OverHttp))]
    public async Task Message_reaches_a_channel_as_plain_lines(string channel)
    {
        await using var receiver = await ReceiverUnderTest.StartAsync();
        await using var channels = ChannelSample.Channels(receiver.Url, new ManualClock(ManualClock.Noon));
        var entry = ChannelSample.Hostile(Hostile) with { RuleId = Hostile, AffectedAddresses = [Hostile] };
        await channels.Named(channel).SendAsync(ChannelSample.Message(entry).Cleaned(), default);
        await receiver.WaitForNextAsync();
        using var body = JsonDocument.Parse(receiver.Received[0].Body);
        Assert.That(Texts(body.RootElement).SelectMany(text => text.Split('\n')), Is.Not.Empty.And.All.Matches<string>(IsClean));
    }

    private static IEnumerable<string> Texts(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.String => [node.GetString()!],
        JsonValueKind.Array => node.EnumerateArray().SelectMany(Texts),
        JsonValueKind.Object => node.EnumerateObject().SelectMany(member => Texts(member.Value).Append(member.Name)),
        _ => [],
    };

    [TestCase("https://u5er:pa55word@x.example/hook?token=abcd1234", "u5er pa55word abcd1234 token", "*** *** *** token")]
    [TestCase("https://x.example/services/T0/B0/sl%2Fackkey99", "no sl%2Fackkey99, no sl/ackkey99, no services",
        "no ***, no ***, no ***")]
    [TestCase("https://x.example/", "/ is fine", "/ is fine")]
    public void Secrets_of_an_address_are_struck_however_a_service_repeats_them(string address, string text, string expected) =>
        Assert.That(AddressSecrets.Strike(text, new Uri(address)), Is.EqualTo(expected));

    [Test]
    public async Task Stored_refusal_holds_no_secret_of_the_addresss_query()
    {
        await using var receiver = await ReceiverUnderTest.StartAsync();
        receiver.AnswerWith(403, "token s3cret-of-the-query is not known");
        await using var channels = ChannelSample.Channels(
            new ManualClock(ManualClock.Noon), ("WEBHOOK_URL", $"{receiver.Url}/hook?team=risk&token=s3cret-of-the-query"));
        Assert.That($"{await channels.Named("webhook").SendAsync(ChannelSample.Message(ChannelSample.Loss()), default)}",
            Does.Contain("token *** is not known"));
    }

    [Test]
    public void Journal_that_others_could_read_is_the_accounts_own_again()
    {
        using (var journal = Open())
            journal.Append("{}"u8, ManualClock.Noon);
        foreach (var file in Directory.EnumerateFiles(_folder))
            File.SetUnixFileMode(file, Own | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.SetUnixFileMode(
            _folder, Own | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        using (Open())
        {
            Assert.That(Directory.EnumerateFiles(_folder).Select(File.GetUnixFileMode), Is.Not.Empty.And.All.EqualTo(Own));
            Assert.That(File.GetUnixFileMode(_folder), Is.EqualTo(Own | UnixFileMode.UserExecute));
        }

        Assert.That(_logs.Lines, Is.Empty);
    }

    [Test]
    public void Folder_that_holds_something_else_is_left_and_said()
    {
        var mode = Own | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        File.WriteAllText(Path.Combine(_folder, "somebody-elses"), "");
        File.SetUnixFileMode(_folder, mode);
        using var journal = Open();
        Assert.That(File.GetUnixFileMode(_folder), Is.EqualTo(mode));
        Assert.That(_logs.Lines.Single().Text, Does.Contain("open to other accounts and holds something else, somebody-elses"));
    }

    [Test]
    public async Task What_the_worker_writes_is_its_accounts_alone()
    {
        var journal = Path.Combine(_folder, "made", "journal");
        using var worker = ProgramUnderTest.Start("Monitoring.Worker", "", ("JOURNAL_PATH", journal), ("HYPERLIQUID_FEED", "off"),
            ("DATABASE_URL", "postgresql://u:p@127.0.0.1:1/d"), ("HYPERLIQUID_API_URL", "http://127.0.0.1:1"));
        await worker.WaitForLineAsync("the database does not take results");
        Assert.That(Directory.EnumerateFiles(journal).Select(File.GetUnixFileMode), Is.Not.Empty.And.All.EqualTo(Own));
        Assert.That(Directory.EnumerateDirectories(_folder, "*", SearchOption.AllDirectories).Select(File.GetUnixFileMode),
            Is.Not.Empty.And.All.EqualTo(Own | UnixFileMode.UserExecute));
    }

    private Journal Open() => Journal.Open(new JournalOptions(_folder, 1 << 20) { SegmentBytes = 1 << 20 }, _logs.For<Journal>());

    [Test]
    public void No_script_gives_a_secret_as_an_argument_which_every_account_can_read()
    {
        var scripts = new[] { "run", "test", "bench", ".ci/run" }.Select(Repository.File)
            .Concat(Directory.EnumerateFiles(Repository.File("deploy"), "*.sh", SearchOption.AllDirectories));
        foreach (var script in scripts)
            Assert.That(File.ReadAllLines(script).Where(line => SecretArgument().IsMatch(line)), Is.Empty, script);
    }

    [GeneratedRegex(@"\benv\s[^|;#]*(DATABASE_URL|_SECRET|_TOKEN|PASSWORD)[A-Z_]*=|-e\s+\w*PASSWORD=|--password[= ]",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretArgument();
}
