using System.Text.Json.Nodes;
using DataService.Domain;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.OpenApi;

namespace DataService.Http;

/// <summary>
/// Describes the errors of every operation: those that its endpoint names with <see cref="ProducedProblemsSetup.ProducesProblems"/> or in the framework's own
/// way, and those that all endpoints of its kind have.
/// </summary>
internal sealed class OpenApiProblems : IOpenApiOperationTransformer, IOpenApiDocumentTransformer
{
    private const string Schema = "Problem";
    private const string ContentType = "application/problem+json";

    /// <summary>All codes of the contract, each with its status and what a person may read.</summary>
    private static readonly (string Code, int Status, string Text)[] Table =
    [
        (ErrorCode.Validation, 400, "One of the values does not fit: errors says which, and why."),
        (ErrorCode.Unauthorized, 401, "Send the header Authorization: Bearer <API_TOKEN> with a valid token."),
        (ErrorCode.Forbidden, 403, Problems.ViewersOnlyLook),
        (ErrorCode.NotFound, 404, $"There is no project '{OpenApiExamples.Slug}'."),
        (ErrorCode.Conflict, 409, $"There is a project '{OpenApiExamples.Slug}' already; choose another name."),
        (ErrorCode.InvalidState, 409, "A project that is active can no longer be approved."),
        (ErrorCode.NoGitHubRepo, 409, "The project has no repository yet."),
        (ErrorCode.RateLimited, 429, "Too many requests. Try again in 30 s."),
        (FailureKind.GitHubUnauthorized.Code, 401, "GitHub refused the service's token."),
        (FailureKind.GitHubForbidden.Code, 403, "The service's token lacks a permission on GitHub."),
        (FailureKind.GitHubRepoNameTaken.Code, 422, "Both names for the repository belong to someone else."),
        (FailureKind.GitHubNotFound.Code, 404, "GitHub knows no such organisation or repository, or does not show it to the service."),
        (FailureKind.GitHubValidation.Code, 422, "GitHub refused the request."),
        (FailureKind.GitHubRateLimited.Code, 503, "GitHub's rate limit is reached. Try again in 60 s."),
        (FailureKind.GitHubUnavailable.Code, 502, "GitHub could not be reached."),
        (FailureKind.GitHubTokenMissing.Code, 503, "No GITHUB_TOKEN is configured."),
        (ErrorCode.DatabaseUnavailable, 503, "The database does not answer at the moment. Nothing of this request is known to be saved; try again."),
        (ErrorCode.Internal, 500, "The service failed. Try again; if it persists, report the X-Request-Id of this answer."),
    ];

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var responses = operation.Responses ??= [];
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var problems = metadata.OfType<ProducedProblems>().SelectMany(produced => produced.Codes).Select(code => Array.Find(Table, row => row.Code == code)).ToList();
        foreach (var status in responses.Where(response => response.Value.Content?.ContainsKey(ContentType) is true).Select(response => int.Parse(response.Key, provider: null)))
        {
            if (problems.TrueForAll(problem => problem.Status != status))
                problems.Add(Array.Find(Table, row => row.Code == ErrorCode.ForStatus(status)) with { Status = status });
        }

        problems.AddRange(Common(operation, context, metadata));
        foreach (var problem in problems.Distinct().GroupBy(problem => problem.Status).OrderBy(group => group.Key))
            responses[$"{problem.Key}"] = Response(problem, context);
        return Task.CompletedTask;
    }

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        var text = new OpenApiSchema { Type = JsonSchemaType.String };
        var schemas = (document.Components ??= new OpenApiComponents()).Schemas ??= new Dictionary<string, IOpenApiSchema>();
        // The framework's own, which know nothing of the codes.
        schemas.Remove("ProblemDetails");
        schemas.Remove("HttpValidationProblemDetails");
        schemas[Schema] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "An error (RFC 9457).",
            Required = new HashSet<string> { "type", "title", "status", "detail", "instance", "code", "message", "error" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = text,
                ["title"] = text,
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
                ["detail"] = text,
                ["instance"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The path that was asked." },
                ["code"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. Table.Select(row => JsonValue.Create(row.Code))], Description = "What a program decides by; it never changes." },
                ["message"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "What a person reads." },
                ["error"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The same as message, for older callers." },
                ["errors"] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Description = "With VALIDATION_ERROR, where fields are to blame: what a form can show beside each.",
                    AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = text },
                },
            },
        };
        return Task.CompletedTask;
    }

    private static IEnumerable<(string Code, int Status, string Text)> Common(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, IList<object> metadata)
    {
        if (operation.RequestBody is not null || operation.Parameters?.Any(parameter => parameter.In is ParameterLocation.Query) is true)
            yield return Table[0];
        if (!metadata.OfType<IAllowAnonymous>().Any())
        {
            yield return Array.Find(Table, row => row.Code == ErrorCode.Unauthorized);
            if (context.Description.HttpMethod is not ("GET" or "HEAD"))
                yield return Array.Find(Table, row => row.Code == ErrorCode.Forbidden);
        }

        if (operation.RequestBody is not null)
        {
            yield return (ErrorCode.Validation, StatusCodes.Status413PayloadTooLarge, Problems.TooLarge(metadata.OfType<IRequestSizeLimitMetadata>().LastOrDefault()));
            yield return (ErrorCode.Validation, StatusCodes.Status415UnsupportedMediaType, Problems.WrongContentType);
        }

        if (metadata.OfType<EnableRateLimitingAttribute>().Any())
            yield return Array.Find(Table, row => row.Code == ErrorCode.RateLimited);
        if (context.Description.RelativePath?.StartsWith("health/", StringComparison.Ordinal) is false)
        {
            yield return Array.Find(Table, row => row.Code == ErrorCode.Internal);
            yield return Array.Find(Table, row => row.Code == ErrorCode.DatabaseUnavailable);
        }
    }

    private static OpenApiResponse Response(IGrouping<int, (string Code, int Status, string Text)> problems, OpenApiOperationTransformerContext context) => new()
    {
        Description = string.Join(", ", problems.Select(problem => problem.Code)),
        Headers = problems.Key switch
        {
            StatusCodes.Status401Unauthorized => Header("WWW-Authenticate", "Bearer, where it is our token that is missing or wrong."),
            StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable => Header("Retry-After", "Seconds to wait, where they are known."),
            _ => null,
        },
        Content = new Dictionary<string, OpenApiMediaType>
        {
            [ContentType] = new()
            {
                Schema = new OpenApiSchemaReference(Schema, context.Document),
                Examples = problems.ToDictionary(problem => problem.Code, IOpenApiExample (problem) => new OpenApiExample { Value = Example(problem, context) }),
            },
        },
    };

    private static Dictionary<string, IOpenApiHeader> Header(string name, string description) => new()
    {
        [name] = new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
    };

    private static JsonObject Example((string Code, int Status, string Text) problem, OpenApiOperationTransformerContext context) => new()
    {
        ["type"] = "about:blank",
        ["title"] = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(problem.Status),
        ["status"] = problem.Status,
        ["detail"] = problem.Text,
        ["instance"] = $"/{context.Description.RelativePath?.TrimEnd('/')}".Replace("{slug}", OpenApiExamples.Slug, StringComparison.Ordinal),
        ["code"] = problem.Code,
        ["message"] = problem.Text,
        ["error"] = problem.Text,
    };
}
