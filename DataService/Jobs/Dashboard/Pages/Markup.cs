using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>HTML. What is put into it is encoded, unless it is HTML itself.</summary>
internal readonly record struct Markup(string Text)
{
    /// <param name="html">An interpolated string: its own text is HTML, its values are not.</param>
    public static Markup Of(MarkupBuilder html) => new(html.ToString());

    /// <summary>Text of whoever may have written it: its direction changes nothing around it.</summary>
    public static Markup Foreign(string? text) => Of($"<bdi>{text}</bdi>");

    /// <summary>How long ago, or until when: Hangfire's script keeps it up to date and shows the local time to the pointer.</summary>
    public static Markup Ago(DateTime at) =>
        Of($"""<time datetime="{Iso(at)}" data-moment="{UnixSeconds(at)}">{Clock(at)}</time>""");

    /// <summary>The time in UTC, as logs have it; the local time is shown to the pointer.</summary>
    public static Markup At(DateTime at) =>
        Of($"""<time datetime="{Iso(at)}" data-moment-title="{UnixSeconds(at)}">{Clock(at)}</time>""");

    public override string ToString() => Text ?? "";

    private static string Iso(DateTime at) => at.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static string Clock(DateTime at) => at.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static long UnixSeconds(DateTime at) => new DateTimeOffset(at, TimeSpan.Zero).ToUnixTimeSeconds();
}

/// <summary>Takes an interpolated string apart: literal text as it is, values encoded.</summary>
[InterpolatedStringHandler]
internal readonly ref struct MarkupBuilder(int literalLength, int formattedCount)
{
    private readonly StringBuilder _html = new(literalLength + 32 * formattedCount);

    public void AppendLiteral(string html) => _html.Append(html);

    public void AppendFormatted(Markup? html) => _html.Append(html?.Text);

    public void AppendFormatted(IEnumerable<Markup> parts)
    {
        foreach (var part in parts)
            _html.Append(part.Text);
    }

    public void AppendFormatted(string? text)
    {
        if (text is not null)
            _html.Append(HtmlEncoder.Default.Encode(text));
    }

    public void AppendFormatted(long number) => _html.Append(CultureInfo.InvariantCulture, $"{number}");

    /// <param name="number">A count.</param>
    /// <param name="format">How it is written, such as <c>N0</c>.</param>
    public void AppendFormatted(long number, string format) => _html.Append(number.ToString(format, CultureInfo.InvariantCulture));

    public override string ToString() => _html.ToString();
}
