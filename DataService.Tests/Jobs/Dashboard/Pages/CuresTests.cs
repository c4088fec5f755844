using DataService.Jobs.Dashboard.Pages;
using DataService.Jobs.Requeue;

namespace DataService.Tests.Jobs.Dashboard.Pages;

public sealed class CuresTests
{
    public static TheoryData<string> Codes => [.. CreationFilter.AllCodes];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Each_code_says_in_one_line_what_to_do_and_that_these_are_re_run_then(string code)
    {
        var cure = Cures.Of(code);

        Assert.InRange(cure.Length, 40, 150);
        Assert.Matches(@"\A[A-Z][^\r\n]*[Rr]e-run these[^\r\n]*\.\z", cure);
    }

    [Fact]
    public void No_two_codes_have_the_same_cure() => Assert.Distinct(CreationFilter.AllCodes.Select(code => Cures.Of(code)));
}
