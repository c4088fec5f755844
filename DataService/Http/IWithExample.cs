namespace DataService.Http;

/// <summary>A body that shows itself in the OpenAPI document: alone, in lists and on pages.</summary>
internal interface IWithExample
{
    static abstract object Example { get; }
}
