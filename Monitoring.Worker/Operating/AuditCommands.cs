using System.CommandLine;
using System.Globalization;
using Monitoring.Data.Access;

namespace Monitoring.Worker.Operating;

/// <summary><c>audit verify</c>: whether the audit log is what was written.</summary>
internal static class AuditCommands
{
    private const int HashBytes = 32;

    private static readonly Option<string> Head = OperatorCommands.Checked(
        new Option<string>("--head")
        {
            Description = "A head that an earlier verify printed and that was kept elsewhere: finds even what was changed by somebody who "
                + "can write every hash anew.",
            HelpName = "SEQ:HASH",
        },
        text => FindHead(text) is null ? "--head takes what audit verify printed: a number, a colon and 64 hexadecimal digits" : null);

    public static Command Create() => new("audit", "The audit log.")
    {
        OperatorCommands.Define("verify",
            "Check the log's chain; names the first row that was changed, removed or put in, and exits with 1.", VerifyAsync, Head),
    };

    private static async Task<int> VerifyAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var known = parsed.GetValue(Head) is { } text ? FindHead(text) : null;
        var verdict = await services.GetRequiredService<AuditLog>().ReadAsync(
            (head, rows) => AuditChain.VerifyAsync(head, rows, known, cancellationToken), cancellationToken);
        if (verdict.Problem is null)
        {
            Console.WriteLine(
                $"the audit log is whole: {verdict.GoodRows} rows, head {verdict.GoodRows}:{Convert.ToHexStringLower(verdict.LastHash)}");
            return 0;
        }

        await Console.Error.WriteLineAsync($"the audit log was tampered with: row {verdict.BadSeq} {verdict.Problem}");
        return 1;
    }

    private static AuditHead? FindHead(string text) =>
        text.Split(':') is [var seq, { Length: 2 * HashBytes } hash]
        && long.TryParse(seq, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && hash.All(char.IsAsciiHexDigit)
            ? new AuditHead(number, Convert.FromHexString(hash))
            : null;
}
