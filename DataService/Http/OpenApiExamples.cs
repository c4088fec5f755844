using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace DataService.Http;

/// <summary>Puts the examples of bodies, and of the parameters of a path, into the document.</summary>
internal sealed class OpenApiExamples(IOptions<JsonOptions> json) : IOpenApiOperationTransformer
{
    public const string Slug = "acme-shop";

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var body = context.Description.ParameterDescriptions.FirstOrDefault(parameter => parameter.Source == BindingSource.Body);
        Show(operation.RequestBody?.Content, body?.Type);
        foreach (var response in context.Description.SupportedResponseTypes)
            Show(operation.Responses?.GetValueOrDefault($"{response.StatusCode}")?.Content, response.Type);
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>().Where(parameter => parameter.In is ParameterLocation.Path) ?? [])
        {
            parameter.Description ??= parameter.Name is "slug" ? "The project's slug." : null;
            parameter.Example = parameter.Name is "slug" ? Slug : Guid.Empty.ToString();
        }

        return Task.CompletedTask;
    }

    /// <returns>Null where neither the type nor what it is a list of has one.</returns>
    public static object? Of(Type type)
    {
        if (type.IsAssignableTo(typeof(IWithExample)))
            return ((Func<object>)Delegate.CreateDelegate(typeof(Func<object>), type.GetInterfaceMap(typeof(IWithExample)).TargetMethods.Single()))();
        var item = (type.IsArray ? type.GetElementType() : type.IsGenericType && type.GetGenericArguments() is [var only] ? only : null) is { } element
            && type.IsAssignableTo(typeof(System.Collections.IEnumerable)) ? Of(element) : null;
        return item is null ? null : new[] { item };
    }

    private void Show(IDictionary<string, OpenApiMediaType>? content, Type? type)
    {
        if (content is not null && content.TryGetValue("application/json", out var mediaType) && type is not null && Of(type) is { } example)
            mediaType.Example = JsonSerializer.SerializeToNode(example, json.Value.SerializerOptions) ?? new JsonObject();
    }
}
