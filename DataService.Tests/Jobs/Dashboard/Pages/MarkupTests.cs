using DataService.Jobs.Dashboard.Pages;

namespace DataService.Tests.Jobs.Dashboard.Pages;

public sealed class MarkupTests
{
    [Theory]
    [InlineData("<script>", "&lt;script&gt;")]
    [InlineData("\"'&", "&quot;&#x27;&amp;")]
    [InlineData(null, "")]
    public void A_value_is_encoded(string? value, string encoded) => Assert.Equal($"<p>{encoded}</p>", Markup.Of($"<p>{value}</p>").Text);

    [Fact]
    public void What_is_HTML_already_stays_so_alone_and_in_rows()
    {
        var cell = Markup.Of($"<td>{"<"}</td>");

        Assert.Equal("<tr><td>&lt;</td></tr><td>&lt;</td><td>&lt;</td>", Markup.Of($"<tr>{cell}</tr>{(IEnumerable<Markup>)[cell, cell]}").Text);
    }

    [Fact]
    public void What_others_wrote_keeps_its_direction_to_itself() => Assert.Equal("<bdi>&#x202E;a</bdi>", Markup.Foreign("‮a").Text);
}
