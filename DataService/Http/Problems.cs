using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace DataService.Http;

/// <summary>Errors as RFC 9457 problem details with the contract's <c>code</c>, <c>message</c> and <c>error</c>.</summary>
internal static class Problems
{
    public const string WrongContentType = "Send the body as Content-Type: application/json, in UTF-8.";

    public const string ViewersOnlyLook = "A viewer may look, but not change anything: this needs the token or the role of an operator.";

    private const string Code = "code";

    public static ProblemHttpResult NoSuchProject(string slug) => Of(ErrorCode.NotFound, $"There is no project '{Shortened(slug)}'.");

    public static ProblemHttpResult NotFound(string detail) => Of(ErrorCode.NotFound, detail);

    public static ProblemHttpResult Conflict(string detail) => Of(ErrorCode.Conflict, detail);

    public static ProblemHttpResult InvalidState(string detail) => Of(ErrorCode.InvalidState, detail);

    public static ProblemHttpResult NoRepository(string slug) => Of(ErrorCode.NoGitHubRepo, $"Project '{Shortened(slug)}' has no GitHub repository.");

    public static ProblemHttpResult LostRepository(string slug, string repository) => Of(
        ErrorCode.NoGitHubRepo, $"Project '{Shortened(slug)}' no more has the GitHub repository {repository}. If it has another one now, push again.");

    /// <param name="field">As the caller spells it.</param>
    /// <param name="text">What a form can show beside the field.</param>
    public static ProblemHttpResult Invalid(string field, string text) => TypedResults.Problem(Validation(field, text));

    public static HttpValidationProblemDetails Validation(string field, string text) => new(new Dictionary<string, string[]> { [field] = [text] })
    {
        Status = StatusCodes.Status400BadRequest,
        Detail = text,
        Extensions = { [Code] = ErrorCode.Validation },
    };

    public static ProblemDetails Details(string code, string detail, int? status = null) => new()
    {
        Status = status ?? ErrorCode.Status(code),
        Detail = detail,
        Extensions = { [Code] = code },
    };

    /// <param name="limit">The endpoint's own; null for the default.</param>
    public static string TooLarge(IRequestSizeLimitMetadata? limit) =>
        $"The body is too large: at most {(limit?.MaxRequestBodySize ?? BodyLimits.Default) / BodyLimits.Mebibyte} MiB are taken here.";

    /// <summary>Completes every problem on its way out, whoever made it.</summary>
    public static void Complete(ProblemDetailsContext context)
    {
        var problem = context.ProblemDetails;
        var status = problem.Status ?? context.HttpContext.Response.StatusCode;
        if (problem is HttpValidationProblemDetails { Errors: { Count: > 0 } errors } invalid)
        {
            invalid.Errors = errors.ToDictionary(error => Field(error.Key), error => error.Value);
            problem.Detail ??= string.Join(" ", errors.Values.SelectMany(texts => texts));
        }

        problem.Status = status;
        problem.Title ??= ReasonPhrases.GetReasonPhrase(status);
        problem.Detail ??= status switch
        {
            StatusCodes.Status404NotFound => "There is nothing at this address.",
            StatusCodes.Status405MethodNotAllowed => $"This address does not take {context.HttpContext.Request.Method}.",
            StatusCodes.Status413PayloadTooLarge => TooLarge(context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<IRequestSizeLimitMetadata>()),
            StatusCodes.Status415UnsupportedMediaType => WrongContentType,
            _ => problem.Title,
        };
        problem.Type ??= "about:blank";
        problem.Instance ??= context.HttpContext.Request.Path;
        problem.Extensions.TryAdd(Code, ErrorCode.ForStatus(status));
        problem.Extensions["message"] = problem.Detail;
        problem.Extensions["error"] = problem.Detail;
    }

    private static ProblemHttpResult Of(string code, string detail) => TypedResults.Problem(Details(code, detail));

    /// <summary>The framework names the members of records; callers know them in camel case.</summary>
    private static string Field(string member) => string.Join('.', member.Split('.').Select(System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName));

    /// <summary>No character is cut in two.</summary>
    public static string Shortened(string text) => text.Length <= 100 ? text : text[..(char.IsHighSurrogate(text[99]) ? 99 : 100)] + "…";
}
