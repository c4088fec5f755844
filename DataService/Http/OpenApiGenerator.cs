using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace DataService.Http;

/// <summary>Describes the API from its endpoints. A class of its own: it is of no use outside Development, nor is what it needs.</summary>
internal static class OpenApiGenerator
{
    public static void Map(IEndpointRouteBuilder app) => app.MapOpenApi().AllowAnonymous();

    public static void Add(IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "DataService",
                Version = "v1",
                Description = "Projects of a software agency, from the interview to their GitHub repository.",
            };
            // Wherever it was asked for: the address that the service listens on may be behind a proxy.
            document.Servers = [];
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [BearerAuthentication.SchemeName] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "The service's API_TOKEN; for GET its VIEWER_TOKEN too.",
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
            // The framework leaves these out. A null among them stands for an absent parameter.
            if (AllowedValues(context)?.Values is { } values)
                schema.Enum = [.. values.OfType<string>().Select(value => JsonValue.Create(value))];
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, _, _) =>
        {
            // Whoever refers to one says whether it may be null; with a null in both, null would fit twice, which oneOf does not allow.
            foreach (var schema in document.Components?.Schemas?.Values.OfType<OpenApiSchema>() ?? [])
                schema.Enum = schema.Enum is null ? null : [.. schema.Enum.Where(value => value?.GetValueKind() is not (null or JsonValueKind.Null))];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer<OpenApiExamples>();
        options.AddOperationTransformer<OpenApiProblems>();
        options.AddDocumentTransformer<OpenApiProblems>();
    });

    private static AllowedValuesAttribute? AllowedValues(OpenApiSchemaTransformerContext context)
    {
        var provider = context.JsonPropertyInfo?.AttributeProvider ?? (context.ParameterDescription?.ParameterDescriptor as IParameterInfoParameterDescriptor)?.ParameterInfo;
        return provider?.GetCustomAttributes(typeof(AllowedValuesAttribute), inherit: false).Cast<AllowedValuesAttribute>().SingleOrDefault();
    }
}
