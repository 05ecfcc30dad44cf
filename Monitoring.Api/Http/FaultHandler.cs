using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Api.Http;

/// <summary>
/// Turns a database that cannot be used into 503 with <c>Retry-After</c>, and any other exception into a 500 that
/// tells nothing of the inside.
/// </summary>
internal sealed partial class FaultHandler(
    IProblemDetailsService problems, DatabaseOutage outage, ILogger<FaultHandler> logger) : IExceptionHandler
{
    private const int RetryAfterSeconds = 5;

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        ProblemDetails problem;
        if (exception is BadHttpRequestException bad)
        {
            problem =
                new ProblemDetails { Status = bad.StatusCode, Detail = "The request is malformed, too long, or was not sent in time." };
        }
        else if (DatabaseFaults.IsReadOnly(exception))
        {
            LogReadOnly(httpContext.Request.Path);
            problem = new ProblemDetails
            {
                Status = StatusCodes.Status503ServiceUnavailable,
                Title = "The database is read-only",
                Detail = "It can be read, but it is a standby or set to read-only, so nothing was changed. "
                    + "Actions need a DATABASE_URL that leads to the primary server.",
            };
        }
        else if (DatabaseFaults.Find(exception) is PostgresException
            { SqlState: PostgresErrorCodes.InvalidParameterValue, ColumnName: { Length: > 0 } parameter } refused)
        {
            // A function of ours did not take a value; its words are for the caller.
            var text = refused.MessageText[(refused.MessageText.IndexOf(' ', StringComparison.Ordinal) + 1)..];
            problem = new HttpValidationProblemDetails(new Dictionary<string, string[]> { [parameter] = [text] })
            {
                Status = StatusCodes.Status400BadRequest, Detail = refused.MessageText,
            };
        }
        else if (exception is UnreadableRowException unreadable)
        {
            LogUnreadable(unreadable.Message, httpContext.Request.Path);
            problem = new ProblemDetails
            {
                Status = StatusCodes.Status500InternalServerError, Title = "A stored row cannot be read",
                Detail = "The database holds a value there that no program can read, such as a time without end; the log names it.",
            };
        }
        else if (IsOutage(exception))
        {
            outage.Report(exception);
            httpContext.Response.Headers.RetryAfter = $"{RetryAfterSeconds}";
            problem = new ProblemDetails
            {
                Status = StatusCodes.Status503ServiceUnavailable,
                Title = "The database cannot be used",
                Detail = DatabaseFaults.Find(exception) is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable
                    or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction }
                    ? "The database's schema is older than this program; run Monitoring.Migrations up."
                    : $"The database does not answer. Nothing is known about the present state; try again in {RetryAfterSeconds} seconds.",
            };
        }
        else
        {
            LogDefect(exception, httpContext.Request.Path);
            problem = new ProblemDetails
            {
                Status = StatusCodes.Status500InternalServerError, Title = "This program has a defect; its log says more",
            };
        }

        httpContext.Response.StatusCode = problem.Status.Value;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem });
    }

    /// <summary>An answer broke off because the database went away in the middle of it.</summary>
    public static void LogCutOff(HttpContext context, Exception fault) =>
        context.RequestServices.GetRequiredService<DatabaseOutage>().Report(fault);

    // What the server says of a statement or its values (classes 22, 23 and 42) is a defect of ours, unless the schema
    // is older or the account has too few rights.
    private static bool IsOutage(Exception fault) => DatabaseFaults.Find(fault) switch
    {
        PostgresException
        {
            SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn
                or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InsufficientPrivilege,
        } => true,
        PostgresException { SqlState: ['2', '2' or '3', ..] or ['4', '2', ..] } => false,
        _ => DatabaseFaults.Covers(fault),
    };

    [LoggerMessage(
        LogLevel.Warning, "{Path}: the database is read-only, nothing was changed; DATABASE_URL must lead to the primary server")]
    private partial void LogReadOnly(string path);

    [LoggerMessage(LogLevel.Error, "{Path}: {Fault}")]
    private partial void LogUnreadable(string fault, string path);

    [LoggerMessage(LogLevel.Error, "{Path}: unexpected fault")]
    private partial void LogDefect(Exception fault, string path);
}
