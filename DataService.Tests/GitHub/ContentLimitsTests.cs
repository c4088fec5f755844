using DataService.GitHub;

namespace DataService.Tests.GitHub;

public sealed class ContentLimitsTests
{
    [Theory]
    [InlineData("1/s, 60/min, 400/h", "1/s 60/min 400/h")]
    [InlineData("20/10s", "20/10s")]
    [InlineData("5/2min,1/1s", "5/120s 1/s")]
    [InlineData("off", "")]
    [InlineData("OFF", "")]
    public void Limits_are_read_as_people_write_them(string text, string limits) =>
        Assert.Equal(limits, string.Join(' ', ContentLimits.Parse(text)!.Select(limit => limit.ToString())));

    [Theory]
    [InlineData("60 a minute")]
    [InlineData("60")]
    [InlineData("0/s")]
    [InlineData("-1/s")]
    [InlineData("1/0s")]
    [InlineData("1/25h")]
    [InlineData("1/s,")]
    [InlineData("99999/s")]
    [InlineData("1/d")]
    public void Anything_else_is_refused(string text) => Assert.Null(ContentLimits.Parse(text));

    [Fact]
    public void The_default_stays_below_what_GitHub_allows() =>
        Assert.Equal(ContentLimits.Parse("1/s, 60/min, 400/h"), ContentLimits.Default);
}
