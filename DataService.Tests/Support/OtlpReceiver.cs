using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Logging;
using Field = DataService.Tests.Support.OtlpReceiver.Field;

namespace DataService.Tests.Support;

/// <summary>A small collector: takes what services send by OTLP as protobuf over HTTP.</summary>
public sealed class OtlpReceiver : IAsyncLifetime
{
    private readonly WebApplication _app = Build();
    private readonly ConcurrentQueue<(string Path, string? Authorization, byte[] Body)> _received = [];

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Each message that came in, as the text that is in it, to look for what must not be there.</summary>
    public IReadOnlyList<string> Texts => [.. _received.Select(message => Encoding.Latin1.GetString(message.Body))];

    /// <summary>The <c>Authorization</c> headers that came with the messages.</summary>
    public IReadOnlyList<string?> Authorizations => [.. _received.Select(message => message.Authorization)];

    internal IReadOnlyList<SentSpan> Spans =>
    [
        // ExportTraceServiceRequest.resource_spans(1).scope_spans(2).spans(2), as in opentelemetry/proto/trace/v1/trace.proto.
        .. from message in _received
        where message.Path is "/v1/traces"
        from resource in Field.All(message.Body, 1)
        from scope in Field.All(resource.Bytes, 2)
        from span in Field.All(scope.Bytes, 2)
        select SentSpan.Read(span.Bytes),
    ];

    internal IReadOnlySet<string> MetricNames => new HashSet<string>(
        from message in _received
        where message.Path is "/v1/metrics"
        from resource in Field.All(message.Body, 1)
        from scope in Field.All(resource.Bytes, 2)
        from metric in Field.All(scope.Bytes, 2)
        select Field.Text(metric.Bytes, 1));

    public async ValueTask InitializeAsync()
    {
        _app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            _received.Enqueue((context.Request.Path.Value!, context.Request.Headers.Authorization, body.ToArray()));
            context.Response.ContentType = "application/x-protobuf";
        });
        await _app.StartAsync();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        return builder.Build();
    }

    /// <summary>One field of a protobuf message; groups and packed numbers are not read.</summary>
    internal readonly record struct Field(int Number, ulong Value, byte[] Bytes)
    {
        public static IEnumerable<Field> All(byte[] message, int number) => All(message).Where(field => field.Number == number);

        public static string Text(byte[] message, int number) => Encoding.UTF8.GetString(All(message, number).FirstOrDefault().Bytes ?? []);

        private static List<Field> All(byte[] message)
        {
            var fields = new List<Field>();
            for (var at = 0; at < message.Length;)
            {
                var key = Varint(message, ref at);
                var number = (int)(key >> 3);
                switch (key & 7)
                {
                    case 0:
                        fields.Add(new Field(number, Varint(message, ref at), []));
                        break;
                    case 1:
                        fields.Add(new Field(number, BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)), []));
                        at += 8;
                        break;
                    case 2:
                        var length = (int)Varint(message, ref at);
                        fields.Add(new Field(number, 0, message[at..(at + length)]));
                        at += length;
                        break;
                    default:
                        fields.Add(new Field(number, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)), []));
                        at += 4;
                        break;
                }
            }

            return fields;
        }

        private static ulong Varint(byte[] message, ref int at)
        {
            var value = 0UL;
            for (var shift = 0; ; shift += 7)
            {
                var part = message[at++];
                value |= (ulong)(part & 0x7F) << shift;
                if (part < 0x80)
                    return value;
            }
        }
    }
}

/// <param name="TraceId">In hex.</param>
/// <param name="SpanId">In hex.</param>
/// <param name="ParentId">In hex; empty for the first of a trace.</param>
/// <param name="Name">Of the operation.</param>
/// <param name="Kind">2 a request that was served, 3 a call, 5 a job.</param>
/// <param name="Attributes">Texts and whole numbers.</param>
/// <param name="LinkedTraces">In hex.</param>
/// <param name="IsError">By its status.</param>
internal sealed record SentSpan(
    string TraceId, string SpanId, string ParentId, string Name, int Kind, Dictionary<string, string> Attributes, string[] LinkedTraces,
    bool IsError)
{
    public static SentSpan Read(byte[] span) => new(
        Hex(span, 1), Hex(span, 2), Hex(span, 4), Field.Text(span, 5), (int)Field.All(span, 6).FirstOrDefault().Value,
        Field.All(span, 9).ToDictionary(attribute => Field.Text(attribute.Bytes, 1), attribute => Value(attribute.Bytes)),
        [.. Field.All(span, 13).Select(link => Hex(link.Bytes, 1))],
        Field.All(span, 15).Any(status => Field.All(status.Bytes, 3).Any(code => code.Value is 2)));

    private static string Hex(byte[] message, int number) => Convert.ToHexStringLower(Field.All(message, number).FirstOrDefault().Bytes ?? []);

    /// <summary>AnyValue: string_value(1), int_value(3).</summary>
    private static string Value(byte[] attribute)
    {
        var value = Field.All(attribute, 2).Single().Bytes;
        return Field.All(value, 3).Select(number => number.Value.ToString(CultureInfo.InvariantCulture)).FirstOrDefault() ?? Field.Text(value, 1);
    }
}
