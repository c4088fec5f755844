using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DataService.Tests.Http;

/// <summary>One request that nobody should send. The number and the seed are all that is needed to make it again.</summary>
internal sealed record HostileRequest(int Number, string Method, string Target, IReadOnlyList<(string Name, string Value)> Headers, byte[]? Body)
{
    public override string ToString() =>
        $"#{Number} {Method} {Shortened(Target)} {Shortened(string.Join(" | ", Headers.Select(header => $"{header.Name}: {header.Value}")))} "
        + Shortened(Body is null ? "without a body" : Encoding.Latin1.GetString(Body));

    private static string Shortened(string text) => text.Length <= 300 ? text : $"{text[..300]}… ({text.Length})";
}

/// <summary>Makes hostile requests for the operations of an OpenAPI document: the same ones for the same seed.</summary>
internal sealed partial class HostileRequests(JsonElement document, int seed, string token, string existingSlug, string doomedSlug)
{
    /// <summary>As they stand in a JSON document.</summary>
    private static readonly string[] JsonValues =
    [
        "null", "true", "false", "0", "-0", "-1", "1", "1.5", "1e400", "-1e400", "1e-400", "2147483647", "2147483648", "-2147483649", "9007199254740993", new('9', 400),
        "[]", "{}", "[[]]", "[null]", "[1,\"a\",{}]", "{\"a\":{\"b\":[]}}", "{\"name\":\"x\"}", Nested("[", "]", 63), Nested("[", "]", 70), Nested("{\"a\":", "}", 2000),
        "\"\"", "\" \"", "\"\\t\\r\\n\"", "\"\\u0000\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"a\\udfff\\ud800b\"", "\"\\uffff\"", "\"\\ufffe\\ufdd0\"", "\"\\u202e\\u2066abc\"",
        "\"👩‍👩‍👧‍👦🏴‍☠️\"", "\"\u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627\"", $"\"e{new string('\u0301', 500)}\"", "\"\u001b[31m\"", "\"\\u001b[31m\\u0007\\u007f\\u0085\"",
        "\"' OR 1=1; DROP TABLE projects; --\"", "\"\\\"; DELETE FROM specs; --\"", "\"%s%n%x\"", "\"../../../etc/passwd\"", "\"<script>alert(1)</script>\"", "\"${jndi:ldap://x/a}\"", "\"{{7*7}}\"",
        Text(100), Text(101), Text(200), Text(201), Text(5_000), Text(100_000),
        "\"00000000-0000-0000-0000-000000000000\"", "[\"00000000-0000-0000-0000-000000000000\",\"00000000-0000-0000-0000-000000000000\"]", "\"{00000000000000000000000000000000}\"", "\"not-a-uuid\"",
        "\"0001-01-01T00:00:00+14:00\"", "\"9999-12-31T23:59:59.9999999Z\"", "\"-infinity\"", "\"2026-02-30\"",
        "\"active\"", "\"ACTIVE\"", "\"review,active\"", "\"pending\"", "\"assistant\"", "\"1\"", "\"owner/name\"", "\"owner/../name\"", "\"-/-\"",
    ];

    /// <summary>As they stand in a path or a query.</summary>
    private static readonly string[] AddressValues =
    [
        "%00", "a%00b", "%2500", "..", ".", "%2e%2e", "..%2f..%2fetc%2fpasswd", "..%5c..%5c", "..;", "%2F", "//", "/", "%20", "%09", "%0d%0aX-Evil:%20yes", "%7f",
        "%F0%9F%9A%80", "%E2%80%AEabc", "%D7%90%D7%91", "e%CC%81%CC%81%CC%81", "%ED%A0%80", "%EF%BF%BF", "%C0%80", "%FF%FE", "%", "%zz", "%u0041",
        "'%20OR%201=1--", "';DROP%20TABLE%20projects;--", "%25%27", "%5C", "_", "%25", "*", "~", "null", "undefined", "NaN", "-1", "0", "1", "1.5", "1e400", "99999999999999999999",
        "2147483647", "2147483648", "%7Bslug%7D", "[]", "00000000-0000-0000-0000-000000000000", "not-a-uuid", "%3Cscript%3E", "true", "interviewing", "failed", "2026-01-01", "0001-01-01T00:00:00%2B14:00",
        new('x', 2_000), new('x', 7_000), new('x', 9_000), string.Concat(Enumerable.Repeat("%F0%9F%99%82", 500)), string.Concat(Enumerable.Repeat("../", 500)), string.Concat(Enumerable.Repeat("a/", 500)),
    ];

    private static readonly string[] QueryStrings = ["?", "?&&&", "?=x", "?limit=1&limit=2", "?limit[]=1", "?LIMIT=x", "?q", "?a=%00&%00=b", "?access_token=x", "?_method=DELETE"];

    private static readonly byte[][] Bodies =
    [
        [], " "u8.ToArray(), "{"u8.ToArray(), "}"u8.ToArray(), "null"u8.ToArray(), "[]"u8.ToArray(), "{}"u8.ToArray(), "[{}]"u8.ToArray(), "\"text\""u8.ToArray(), "5"u8.ToArray(), "{}{}"u8.ToArray(),
        "{\"a\":1,}"u8.ToArray(), "{'a':1}"u8.ToArray(), "{a:1}"u8.ToArray(), "// x\n{}"u8.ToArray(), "NaN"u8.ToArray(), "{\"\":1}"u8.ToArray(), "{\"__proto__\":{\"a\":1}}"u8.ToArray(),
        "{\"$ref\":\"#\",\"$type\":\"System.Object\"}"u8.ToArray(), [0], [0xff, 0xfe, 0xfd], [0xef, 0xbb, 0xbf, .. "{}"u8], [.. "{\"name\":\""u8, 0xed, 0xa0, 0x80, .. "\"}"u8],
        Encoding.Unicode.GetBytes("{\"name\":\"x\"}"), Encoding.UTF32.GetBytes("{}"), Encoding.ASCII.GetBytes(Nested("[", "]", 50_000)), Encoding.ASCII.GetBytes(Nested("{\"a\":", "}", 65)),
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "name=x&status=y"u8.ToArray(), "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"u8.ToArray(),
    ];

    private static readonly string[] ContentTypes =
    [
        "text/plain", "text/html", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=", "application/problem+json", "application/octet-stream",
        "application/json; charset=utf-16", "application/json; charset=no-such", "application/json; charset=\"\"", "application/json;;;=", "*/*", "json", "a", "application/json, text/plain", ";",
    ];

    private static readonly (string Name, string Value)[] Headers =
    [
        ("X-Request-Id", "\u0001\u0002"), ("X-Request-Id", "two words"), ("X-Request-Id", new string('x', 5_000)), ("X-Request-Id", "ümläut"), ("X-Request-Id", "${jndi:ldap://x}"), ("x-request-id", "{RequestId}"),
        ("Accept", "text/html"), ("Accept", "application/xml;q=x, */*;q=-1"), ("Accept", "junk"), ("Accept", "\"application/json"), ("Accept-Encoding", "zzz, gzip;q=9"), ("Accept-Language", "xx-XX-é"), ("Accept-Charset", "utf-7"),
        ("Content-Encoding", "gzip"), ("Content-Language", "%00"), ("Origin", "null"), ("Origin", "http://localhost:3000"), ("Origin", "http://evil.example\t"), ("Access-Control-Request-Method", "DELETE"),
        ("If-None-Match", "\"x\", W/\"y\", junk"), ("If-Match", "*"), ("If-Modified-Since", "yesterday"), ("Range", "bytes=-1,0-"), ("Cookie", "dataservice.dashboard=junk; dataservice.antiforgery=%00; ="),
        ("X-Forwarded-For", "999.999.999.999, ' OR 1=1"), ("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Host", "evil.example/%00"), ("Forwarded", "for=\"_x;\""), ("X-HTTP-Method-Override", "DELETE"),
        ("Host", "evil.example"), ("traceparent", "00-junk"), ("baggage", "a=b;;,="), ("Prefer", "respond-async"), ("X-Original-URL", "/hangfire"), ("X-Many", new string('y', 20_000)),
    ];

    private static readonly string[] Methods = ["PATCH", "PUT", "POST", "TRACE", "OPTIONS", "PROPFIND", "get", "X"];

    private readonly string[] _authorizations =
    [
        "Bearer", "Bearer ", "Bearer wrong", "Bearer Bearer", $"Bearer {token}x", $"Bearer {token},{token}", $"Basic {token}", token, "Basic Og==", "Negotiate abc", "\u0001", "Bearer ÿþ", "Bearer \"", ",,,", $"Bearer {new string('a', 5_000)}",
    ];

    /// <summary>Turn and turn about: each operation gets as many requests as the others, and one more at most.</summary>
    public IEnumerable<HostileRequest> Take(int count)
    {
        var operations = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject(), (path, operation) => (Path: path.Name, Method: operation.Name.ToUpperInvariant(), Description: operation.Value)).ToList();
        for (var number = 0; number < count; number++)
        {
            var (path, method, description) = operations[number % operations.Count];
            yield return Make(number, path, method, description, new Random(HashCode(seed, number)));
        }
    }

    private HostileRequest Make(int number, string path, string method, JsonElement operation, Random random)
    {
        var headers = new List<(string, string)>();
        var endsProject = method is "DELETE" && path.EndsWith("/{slug}", StringComparison.Ordinal);
        var target = PathParameter().Replace(path, match => Value(match.Value, random, endsProject ? doomedSlug : existingSlug));
        target += Query(operation, random);

        var chance = random.Next(100);
        if (chance < 75)
            headers.Add(("Authorization", $"Bearer {token}"));
        else if (chance < 90)
            headers.Add(("Authorization", Any(_authorizations, random)));
        for (var extra = random.Next(4); extra > 1; extra--)
            headers.Add(Any(Headers, random));

        byte[]? body = null;
        if (operation.TryGetProperty("requestBody", out var description) || random.Next(20) is 0)
        {
            body = Body(description, random);
            if (random.Next(10) > 0)
                headers.Add(("Content-Type", random.Next(10) > 0 ? "application/json" : Any(ContentTypes, random)));
            if (random.Next(10) is 0)
                headers.Add(("Transfer-Encoding", "chunked"));
        }

        return new HostileRequest(number, random.Next(25) is 0 && !endsProject ? Any(Methods, random) : method, target, headers, body);
    }

    private static string Value(string parameter, Random random, string slug) => random.Next(10) switch
    {
        < 5 when parameter is "{slug}" => slug,
        < 5 => Guid.Empty.ToString(),
        5 => "nobody",
        _ => Any(AddressValues, random),
    };

    private static string Query(JsonElement operation, Random random)
    {
        var names = operation.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateArray().Where(parameter => parameter.GetProperty("in").GetString() is "query").Select(parameter => parameter.GetProperty("name").GetString()!).ToList()
            : [];
        if (random.Next(10) is 0)
            return Any(QueryStrings, random);
        var given = names.Where(_ => random.Next(2) is 0).Select(name => $"{name}={Any(AddressValues, random)}").ToList();
        return given is [] ? "" : $"?{string.Join('&', given)}";
    }

    private byte[] Body(JsonElement description, Random random)
    {
        var kind = random.Next(100);
        if (description.ValueKind is JsonValueKind.Undefined || kind < 20)
            return Any(Bodies, random);
        if (kind is 99)
            return Encoding.ASCII.GetBytes($"{{\"name\":{Text((1024 * 1024) + 1)}}}");
        var schema = Resolve(description.GetProperty("content").EnumerateObject().First().Value.GetProperty("schema"));
        var members = schema.TryGetProperty("properties", out var properties)
            ? properties.EnumerateObject().Select(property => (property.Name, Value: Fitting(Resolve(property.Value)))).ToList()
            : [];
        // Most often a single value that does not fit, among others that do: it is then the one that is looked at.
        for (var i = 0; i < members.Count; i++)
        {
            if (kind < 90 && random.Next(members.Count) is 0)
                members[i] = (members[i].Name, Any(JsonValues, random));
        }

        if (members is not [] && random.Next(10) is 0)
            members.Add((Any([.. members.Select(member => member.Name)], random), Any(JsonValues, random)));
        if (members is not [] && random.Next(10) is 0)
            members.RemoveAt(random.Next(members.Count));
        if (random.Next(10) is 0)
            members.Add(("unknown\\u0000", Any(JsonValues, random)));
        return Encoding.UTF8.GetBytes($"{{{string.Join(',', members.Select(member => $"\"{member.Name}\":{member.Value}"))}}}");
    }

    private static string Fitting(JsonElement schema)
    {
        if (schema.TryGetProperty("enum", out var words))
            return words[0].GetRawText();
        var type = schema.TryGetProperty("type", out var types) ? types.ToString() : "";
        return type switch
        {
            _ when type.Contains("array", StringComparison.Ordinal) => "[]",
            _ when type.Contains("integer", StringComparison.Ordinal) => "1",
            _ when type.Contains("boolean", StringComparison.Ordinal) => "true",
            _ => "\"review\"",
        };
    }

    private JsonElement Resolve(JsonElement schema)
    {
        if (schema.TryGetProperty("oneOf", out var choices))
            return Resolve(choices.EnumerateArray().Last());
        return schema.TryGetProperty("$ref", out var reference)
            ? document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1])
            : schema;
    }

    private static T Any<T>(T[] values, Random random) => values[random.Next(values.Length)];

    private static string Text(int length) => $"\"{new string('x', length)}\"";

    private static string Nested(string open, string close, int depth) =>
        string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth));

    /// <summary>The framework's own hash differs from run to run.</summary>
    private static int HashCode(int seed, int number) => unchecked((seed * 486_187_739) + (number * 16_777_619));

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex PathParameter();
}
