using Microsoft.AspNetCore.Authorization;
using Microsoft.OpenApi;

namespace DataService.Http;

internal static class OpenApi
{
    public static void AddApiDescription(this WebApplicationBuilder builder) => builder.Services.AddOpenApi(options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "DataService",
                Version = "v1",
                Description = "Projects of a software agency, from the interview to their GitHub repository.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [BearerAuthentication.SchemeName] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "The service's API_TOKEN.",
                },
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (!context.Description.ActionDescriptor.EndpointMetadata.OfType<IAllowAnonymous>().Any())
                operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(BearerAuthentication.SchemeName, context.Document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            // The generator looks at the getter alone, which is null where an optional property is absent.
            if (context.JsonPropertyInfo is { IsSetNullable: false })
                schema.Type &= ~JsonSchemaType.Null;
            return Task.CompletedTask;
        });
    });

    /// <summary>Serves the document at <c>/openapi/v1.json</c>, to everyone.</summary>
    public static void MapApiDescription(this IEndpointRouteBuilder app) => app.MapOpenApi().AllowAnonymous();
}
