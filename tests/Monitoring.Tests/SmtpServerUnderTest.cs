using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Monitoring.Tests;

/// <summary>
/// A small mail server for one connection after the other: STARTTLS or TLS at once, AUTH, and whatever answers a test wants.
/// </summary>
internal sealed class SmtpServerUnderTest : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate;
    private readonly Task _serving;

    public SmtpServerUnderTest()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var own = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        _certificate = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pfx), password: null);
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The certificate that a client must trust, as PEM.</summary>
    public string CertificatePem => _certificate.ExportCertificatePem();

    public bool OffersStartTls { get; init; } = true;

    /// <summary>Whether the connection is encrypted from the first byte, as smtps is.</summary>
    public bool IsImplicitTls { get; init; }

    /// <summary>Answers a command in place of the usual; null for the usual. An answer of nothing lets the client wait.</summary>
    public Func<string, string?> Answer { get; set; } = _ => null;

    /// <summary>Every command, in order.</summary>
    public List<string> Commands { get; } = [];

    /// <summary>The mails that it took, as they came, without the dot at the end; and whether the connection was encrypted.</summary>
    public List<(string Text, bool Encrypted)> Mails { get; } = [];

    /// <summary>Set when a command got no answer.</summary>
    public TaskCompletionSource Silent { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            try
            {
                await TalkAsync(client.GetStream());
            }
            catch (Exception fault) when (fault is IOException or System.Security.Authentication.AuthenticationException)
            {
                // The client went away.
            }
        }
    }

    private async Task TalkAsync(Stream stream)
    {
        var encrypted = IsImplicitTls;
        if (encrypted)
            stream = await EncryptAsync(stream);
        await WriteAsync(stream, "220 localhost ready");
        while (await ReadLineAsync(stream) is { } command)
        {
            Commands.Add(command);
            var answer = Answer(command) ?? Usual(command, encrypted);
            if (answer.Length == 0)
            {
                Silent.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
            }

            await WriteAsync(stream, answer);
            if (command.StartsWith("STARTTLS", StringComparison.Ordinal) && answer[0] == '2')
            {
                (stream, encrypted) = (await EncryptAsync(stream), true);
            }
            else if (answer[0] == '3' && command == "DATA")
            {
                var mail = new StringBuilder();
                while (await ReadLineAsync(stream) is { } line and not ".")
                    mail.Append(line).Append('\n');
                Mails.Add((mail.ToString(), encrypted));
                await WriteAsync(stream, Answer("END OF DATA") ?? "250 taken");
            }
        }
    }

    private async Task<Stream> EncryptAsync(Stream stream)
    {
        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
        return tls;
    }

    private string Usual(string command, bool encrypted) => command.Split(' ')[0] switch
    {
        "EHLO" => encrypted ? "250-localhost\r\n250 AUTH PLAIN" : OffersStartTls ? "250-localhost\r\n250 STARTTLS" : "250 localhost",
        "STARTTLS" => "220 go on",
        "AUTH" => "235 welcome",
        "MAIL" or "RCPT" or "RSET" => "250 ok",
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        _ => "500 what?",
    };

    private async Task WriteAsync(Stream stream, string line) =>
        await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), _stop.Token);

    private async Task<string?> ReadLineAsync(Stream stream)
    {
        var (line, one) = (new List<byte>(), new byte[1]);
        while (await stream.ReadAsync(one, _stop.Token) > 0)
        {
            if (one[0] == '\n')
                return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            line.Add(one[0]);
        }

        return null;
    }
}
