#!/usr/bin/env bash
# MailKit 4.18.2. A server refuses every recipient of a message for the moment (450 4.2.1, "try again later"), and the client does not throw at
# the single refusal (OnRecipientNotAccepted is overridden, as it must be where one dead address of several may not keep the others' mail back).
# Expected: the fault of the message says that it may be tried again, as its recipients' answers did (4xx).
# Seen: SmtpCommandException MessageNotAccepted with status 554, a permanent refusal that no server ever sent:
#     refused 450 b@example.org
#     refused 450 c@example.org
#     MessageNotAccepted 554 No recipients were accepted.
# Whoever drops a message on 5xx loses it. Remember the recipients' own answers and judge by them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/refused.cs" <<'CODE'
#:package MailKit@4.18.2
using System.Net;
using System.Net.Sockets;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

var listener = new TcpListener(IPAddress.Loopback, 0);
listener.Start();
_ = Task.Run(async () =>
{
    using var peer = await listener.AcceptTcpClientAsync();
    using var reader = new StreamReader(peer.GetStream());
    using var writer = new StreamWriter(peer.GetStream()) { AutoFlush = true, NewLine = "\r\n" };
    await writer.WriteLineAsync("220 ready");
    while (await reader.ReadLineAsync() is { } line)
        await writer.WriteLineAsync(line.Split(' ')[0] switch
        {
            "RCPT" => "450 4.2.1 mailbox busy, try again later",
            "QUIT" => "221 bye",
            _ => "250 ok",
        });
});

var message = new MimeMessage { Subject = "s", Body = new TextPart("plain") { Text = "t" } };
message.From.Add(MailboxAddress.Parse("a@example.org"));
message.To.AddRange([MailboxAddress.Parse("b@example.org"), MailboxAddress.Parse("c@example.org")]);
using var client = new PatientClient();
await client.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, SecureSocketOptions.None);
try
{
    await client.SendAsync(message);
    Console.WriteLine("sent");
}
catch (SmtpCommandException fault)
{
    Console.WriteLine($"{fault.ErrorCode} {(int)fault.StatusCode} {fault.Message}");
}

internal sealed class PatientClient : SmtpClient
{
    protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) =>
        Console.WriteLine($"refused {(int)response.StatusCode} {mailbox.Address}");
}
CODE
seen=$(cd "$folder" && dotnet run refused.cs)
echo "$seen"
[[ $seen == $'refused 450 b@example.org\nrefused 450 c@example.org\nMessageNotAccepted 554 No recipients were accepted.' ]]
