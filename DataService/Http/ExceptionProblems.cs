using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using DataService.Data;
using DataService.Domain;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace DataService.Http;

/// <summary>Answers for what handlers and the framework throw. What is not foreseen says nothing of the inside: the log says all.</summary>
internal sealed partial class ExceptionProblems(
    IProblemDetailsService problems, IOptions<JsonOptions> json, TimeProvider clock, ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private const string UnreadableForm = "The form cannot be read.";

    /// <summary>A restart of PostgreSQL takes some seconds.</summary>
    private const string OutageRetryAfterSeconds = "5";

    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        var problem = exception switch
        {
            InvalidTransitionException refused => Problems.Details(ErrorCode.InvalidState, refused.Message),
            FailureException { Failure: { Kind: not FailureKind.Internal } failure } => Problems.Details(failure.Kind.Code, failure.Text, ErrorCode.Status(failure.Kind)),
            BadHttpRequestException { InnerException: JsonException error } when UnknownMember().Match(error.Message) is { Success: true } match =>
                Unknown(match.Groups["name"].Value, context),
            BadHttpRequestException { InnerException: JsonException error } => Malformed(error),
            BadHttpRequestException bad when UnfitParameter().Match(bad.Message) is { Success: true } match =>
                Problems.Validation(match.Groups["name"].Value, $"'{match.Groups["value"].Value}' is not a valid {match.Groups["name"].Value}."),
            BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } => Problems.Details(ErrorCode.Validation, "The request is incomplete: it needs a JSON body."),
            InvalidDataException or AntiforgeryValidationException { InnerException: InvalidDataException or IOException } => Problems.Details(ErrorCode.Validation, UnreadableForm),
            // The text for 413, 415 and their like is the same as where the framework answers without an exception.
            BadHttpRequestException bad => new ProblemDetails { Status = bad.StatusCode },
            // Of many parts, the last one cut.
            IOException when context.Request.HasFormContentType => Problems.Details(ErrorCode.Validation, UnreadableForm),
            _ when DatabaseOutage.IsCauseOf(exception) =>
                Problems.Details(ErrorCode.DatabaseUnavailable, "The database does not answer at the moment. Nothing of this request is known to be saved; try again."),
            _ => Problems.Details(ErrorCode.Internal, "The service failed. Try again; if it persists, report the X-Request-Id of this answer."),
        };
        // The framework leaves the logging of a handled exception to its handler.
        if (problem.Status is StatusCodes.Status500InternalServerError)
            LogUnexpected(exception, context.Request.Method, context.Request.Path);
        if (problem.Status is StatusCodes.Status503ServiceUnavailable && exception is not FailureException)
        {
            LogDatabaseAway(context.Request.Method, context.Request.Path, Innermost(exception).Message);
            context.Response.Headers.RetryAfter = OutageRetryAfterSeconds;
        }

        if (exception is FailureException { Failure: { Kind: FailureKind.GitHubRateLimited } limited })
            context.Response.Headers.RetryAfter = RetryAfterSeconds(limited.RetryAt).ToString(CultureInfo.InvariantCulture);
        context.Response.StatusCode = problem.Status ?? StatusCodes.Status500InternalServerError;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = context, ProblemDetails = problem, Exception = exception });
    }

    /// <summary>Which field of the body broke, a list as a whole, without the name of the type that it broke for.</summary>
    private static ProblemDetails Malformed(JsonException exception) => exception.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal)
        ? Problems.Validation(path[2..].Split('[')[0], exception.InnerException is FormatException ? "This value has the wrong type, or is out of range." : "This value has the wrong type.")
        : MissingProperty().Match(exception.Message) is { Success: true } missing
        ? Problems.Validation(missing.Groups["name"].Value, $"{missing.Groups["name"].Value} is missing.")
        : Problems.Details(ErrorCode.Validation, exception.InnerException is null ? "The body must be a JSON object." : "The body is not valid JSON.");

    /// <summary>Names the others too: most likely it is one of them, misspelt.</summary>
    private HttpValidationProblemDetails Unknown(string member, HttpContext context)
    {
        // The handler of exceptions has taken the endpoint out of the request.
        var body = context.Features.Get<IExceptionHandlerFeature>()?.Endpoint?.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType;
        var known = body is null ? [] : json.Value.SerializerOptions.GetTypeInfo(body).Properties.Select(property => property.Name);
        var shown = Problems.Shortened(string.Concat(member.Where(letter => !char.IsControl(letter))));
        return Problems.Validation(shown, $"'{shown}' is not known here; known are {string.Join(", ", known)}.");
    }

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;

    /// <summary>GitHub's own lower bound where it states none.</summary>
    private int RetryAfterSeconds(DateTime? at) => at is { } time ? Math.Max(1, (int)Math.Ceiling((time - clock.UtcNow).TotalSeconds)) : 60;

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} was answered with 503, the database does not answer: {Reason}")]
    private partial void LogDatabaseAway(string method, string path, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogUnexpected(Exception exception, string method, string path);

    [GeneratedRegex(@"^The JSON property '(?<name>.*)' could not be mapped to any \.NET member", RegexOptions.Singleline)]
    private static partial Regex UnknownMember();

    [GeneratedRegex("missing required properties including: '(?<name>[^']+)'")]
    private static partial Regex MissingProperty();

    [GeneratedRegex("""^Failed to bind parameter "[^ "]+ (?<name>\w+)" from "(?<value>(?:(?!"\.\z).){0,100})""", RegexOptions.Singleline)]
    private static partial Regex UnfitParameter();
}
