using System.CommandLine;
using System.Globalization;
using Monitoring.Data.Access;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;

namespace Monitoring.Worker.Operating;

/// <summary><c>keys create | list | revoke</c>: keys of the read service.</summary>
internal static class KeyCommands
{
    private static readonly Option<string> Name = OperatorCommands.Checked(
        new Option<string>("--name")
        {
            Description = "Whose key it is; recorded with what is done with it.", HelpName = "NAME", Required = true,
        },
        text => text.Length is > 0 and <= 64 && char.IsAsciiLetterOrDigit(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || "._@-".Contains(c)) && text is not ("anonymous" or "worker")
            ? null : "--name takes 1 to 64 letters, digits or . _ @ -, and neither anonymous nor worker");

    private static readonly Option<ApiScope[]> Scope = new("--scope")
    {
        Description = "What it allows: read, operate (acknowledge, resolve, silence). Give both for both.",
        HelpName = "read|operate",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [ApiScope.Read],
    };

    private static readonly Option<string> Expires = OperatorCommands.Checked(
        new Option<string>("--expires")
        {
            Description = "When it stops working (default: never): 90d, 12h, or a date or time in UTC.", HelpName = "WHEN",
        },
        text => TimeArgument.Find(text, TimeProvider.System.GetUtcNow()) is null ? $"--expires takes {TimeArgument.Form}" : null);

    private static readonly Option<int> Rate = RateOption();

    private static readonly Option<string> Actor = OperatorCommands.ActorOption();

    private static readonly Argument<string> Named = new("key") { Description = "Its name, its prefix as keys list shows it, or its id." };

    public static Command Create() => new("keys", "Keys of the read service.")
    {
        OperatorCommands.Define("create", "Make a key. It is printed this once, alone on standard output; only its SHA-256 is stored.",
            CreateAsync, Name, Scope, Expires, Rate, Actor),
        OperatorCommands.Define("list", "List the keys and their use, never the keys themselves.", ListAsync),
        OperatorCommands.Define("revoke", "Make a key stop working, within 5 seconds.", RevokeAsync, Named, Actor),
    };

    private static Option<int> RateOption()
    {
        var rate = new Option<int>("--rate") { Description = "Requests per minute.", HelpName = "N", DefaultValueFactory = _ => 600 };
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1_000_000)
                result.AddError("--rate takes a whole number from 1 to 1000000");
        });
        return rate;
    }

    private static async Task<int> CreateAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var (by, now) = (OperatorCommands.By(parsed, Actor), services.GetRequiredService<TimeProvider>().GetUtcNow());
        var text = ApiKeyText.Create();
        var key = new NewApiKey(Guid.CreateVersion7(now), parsed.GetValue(Name)!, ApiKeyText.Prefix(text), ApiKeyText.Hash(text),
            [.. parsed.GetValue(Scope)!.Distinct().Order().Select(scope => SnakeCase.Of(scope))], parsed.GetValue(Rate), now, by.Actor,
            parsed.GetValue(Expires) is { } expires ? TimeArgument.Find(expires, now) : null);
        var what = $"{key.Prefix}…: scope {string.Join(", ", key.Scopes)}, {key.RequestsPerMinute} requests a minute, "
            + $"expires {Show(key.ExpiresAt, "never")}";

        await using var connection = await services.GetRequiredService<DatabaseConnections>().OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await services.GetRequiredService<ApiKeys>().AddAsync(key, transaction, cancellationToken))
        {
            await Console.Error.WriteLineAsync(
                $"there is a key '{key.Name}' already (or {ApiKeys.MaxValid} keys in all); choose another name, or revoke it first");
            return 1;
        }

        await services.GetRequiredService<AuditLog>().AppendAsync(
            new AuditEntry(by.Actor, by.Origin, "key.create", key.Name, what), transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Console.WriteLine(text);
        await Console.Error.WriteLineAsync($"key '{key.Name}' {what}. It is shown this once.");
        return 0;
    }

    private static async Task<int> ListAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var (keys, now) = (await services.GetRequiredService<ApiKeys>().ListAsync(cancellationToken),
            services.GetRequiredService<TimeProvider>().GetUtcNow());
        Console.WriteLine($"{"name",-20} {"prefix",-12} {"scope",-13} {"a minute",8}  {"state",-9} {"expires",-16} "
            + $"{"last used",-16} {"requests",9}  created");
        foreach (var key in keys)
        {
            var state = key.RevokedAt is not null ? "revoked" : key.ExpiresAt <= now ? "expired" : "valid";
            Console.WriteLine($"{key.Name,-20} {key.Prefix,-12} {string.Join(',', key.Scopes),-13} {key.RequestsPerMinute,8}  {state,-9} "
                + $"{Show(key.ExpiresAt, "never"),-16} {Show(key.LastUsedAt, "never"),-16} {key.Requests,9}  "
                + $"{Show(key.CreatedAt, "")} by {key.CreatedBy}");
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var (by, now) = (OperatorCommands.By(parsed, Actor), services.GetRequiredService<TimeProvider>().GetUtcNow());
        await using var connection = await services.GetRequiredService<DatabaseConnections>().OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var revoked = await services.GetRequiredService<ApiKeys>().RevokeAsync(
            parsed.GetValue(Named)!, by.Actor, now, transaction, cancellationToken);
        if (revoked.Count == 0)
        {
            await Console.Error.WriteLineAsync("there is no such key, or it is revoked already; keys list names them");
            return 1;
        }

        foreach (var key in revoked)
            await services.GetRequiredService<AuditLog>().AppendAsync(
                new AuditEntry(by.Actor, by.Origin, "key.revoke", key.Name, $"{key.Prefix}…"), transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        foreach (var key in revoked)
            Console.WriteLine($"key '{key.Name}' {key.Prefix}… is revoked");
        return 0;
    }

    private static string Show(DateTimeOffset? at, string none) =>
        at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? none;
}
