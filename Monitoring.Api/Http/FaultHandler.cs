using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace Monitoring.Api.Http;

/// <summary>Turns a database that cannot be used into 503 with <c>Retry-After</c>, and any other exception into a 500 that tells nothing of the inside.</summary>
internal sealed partial class FaultHandler(IProblemDetailsService problems, ILogger<FaultHandler> logger) : IExceptionHandler
{
    private const int RetryAfterSeconds = 5;

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        ProblemDetails problem;
        if (exception is NpgsqlException or TimeoutException)
        {
            LogDatabase(httpContext.Request.Path, exception.Message);
            httpContext.Response.Headers.RetryAfter = $"{RetryAfterSeconds}";
            problem = new ProblemDetails
            {
                Status = StatusCodes.Status503ServiceUnavailable,
                Title = "The database cannot be used",
                Detail = exception is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn }
                    ? "The database's schema is older than this program; run Monitoring.Migrations up."
                    : $"The database does not answer. Nothing is known about the present state; try again in {RetryAfterSeconds} seconds.",
            };
        }
        else
        {
            LogDefect(exception, httpContext.Request.Path);
            problem = new ProblemDetails { Status = StatusCodes.Status500InternalServerError, Title = "This program has a defect; its log says more" };
        }

        httpContext.Response.StatusCode = problem.Status.Value;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem });
    }

    /// <summary>Logs that an answer broke off because the database went away in the middle of it.</summary>
    public static void LogCutOff(HttpContext context, NpgsqlException fault) =>
        LogCutOff(context.RequestServices.GetRequiredService<ILogger<FaultHandler>>(), context.Request.Path, fault.Message);

    [LoggerMessage(LogLevel.Warning, "{Path}: the answer is cut off, for the database cannot be used: {Error}")]
    private static partial void LogCutOff(ILogger logger, string path, string error);

    [LoggerMessage(LogLevel.Warning, "{Path}: the database cannot be used: {Error}")]
    private partial void LogDatabase(string path, string error);

    [LoggerMessage(LogLevel.Error, "{Path}: unexpected fault")]
    private partial void LogDefect(Exception fault, string path);
}
