using System.Text;
using System.Text.RegularExpressions;
using DataService.Domain;
using GitHubNames = GitHubSimulator.Api.RepositoryName;

namespace DataService.Tests.Domain;

public sealed partial class SlugTests
{
    [Theory]
    [InlineData("Acme Shop", "acme-shop")]
    [InlineData("  Acme   Shop  ", "acme-shop")]
    [InlineData("ACME", "acme")]
    [InlineData("acme-shop", "acme-shop")]
    [InlineData("--acme--shop--", "acme-shop")]
    [InlineData("Acme & Söhne GmbH", "acme-sohne-gmbh")]
    [InlineData("a_b.c/d", "a-b-c-d")]
    [InlineData("100% Organic", "100-organic")]
    [InlineData("7", "7")]
    [InlineData("shop.git", "shop-git")]
    [InlineData("..", null)]
    [InlineData("a..", "a")]
    [InlineData("tab\tand\nline", "tab-and-line")]
    public void A_name_is_spelled_in_lower_case_letters_digits_and_single_hyphens(string name, string? slug) =>
        Assert.Equal(slug, Slug.From(name));

    [Theory]
    [InlineData("Kowalski's Café", "kowalskis-cafe")]
    [InlineData("Kowalski’s Café", "kowalskis-cafe")]
    [InlineData("rock 'n' roll", "rock-n-roll")]
    public void Apostrophes_do_not_part_a_word(string name, string slug) => Assert.Equal(slug, Slug.From(name));

    [Theory]
    [InlineData("Zażółć gęślą jaźń", "zazolc-gesla-jazn")]
    [InlineData("Łódź", "lodz")]
    [InlineData("Straße", "strasse")]
    [InlineData("Москва", "moskva")]
    [InlineData("Αθήνα", "athina")]
    [InlineData("東京", "dongjing")]
    [InlineData("서울", "seoul")]
    public void Other_scripts_are_spelled_in_ASCII(string name, string slug) => Assert.Equal(slug, Slug.From(name));

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("!!!")]
    [InlineData("---")]
    [InlineData("'")]
    [InlineData("\u200b")]
    public void A_name_without_a_letter_or_a_digit_has_no_slug(string name) => Assert.Null(Slug.From(name));

    [Theory]
    [InlineData(94, 94)]
    [InlineData(95, 95)]
    [InlineData(96, 95)]
    [InlineData(100, 95)]
    public void A_long_name_is_cut_so_that_a_suffix_still_fits(int length, int expected)
    {
        var slug = Slug.From(new string('a', length))!;

        Assert.Equal(expected, slug.Length);
        Assert.Equal(Math.Min(length, 95) + 5, RepositoryName.WithSuffix(slug).Length);
        Assert.True(RepositoryName.WithSuffix(slug).Length <= 100);
    }

    [Fact]
    public void A_name_that_grows_in_ASCII_is_cut_too() => Assert.Equal(95, Slug.From(new string('щ', 100))!.Length);

    [Fact]
    public void A_cut_leaves_no_hyphen_at_the_end() => Assert.Equal(new string('a', 94), Slug.From(new string('a', 94) + " bcdef"));

    [Fact]
    public void Any_text_gives_a_slug_that_is_its_own_slug_and_that_GitHub_takes_unchanged()
    {
        // A fixed seed: the same texts in every run.
        var random = new Random(20260102);
        var spelled = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var name = AnyText(random);

            if (Slug.From(name) is not { } slug)
                continue;

            spelled++;
            var shown = Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(name));
            Assert.True(Form().IsMatch(slug) && slug.Length <= Slug.MaxLength, $"{shown} gives {slug}");
            Assert.True(Slug.From(slug) == slug, $"{shown} gives {slug}, which gives {Slug.From(slug)}");
            Assert.Equal(slug, GitHubNames.Sanitise(slug));
            Assert.Null(GitHubNames.Problem(RepositoryName.WithSuffix(slug)));
        }

        Assert.True(spelled > 10_000, $"Only {spelled} texts had a slug, so this shows little.");
    }

    /// <summary>Up to 100 UTF-16 units from everywhere, lone surrogates too, half of them ASCII.</summary>
    private static string AnyText(Random random)
    {
        var text = new StringBuilder();
        var length = random.Next(1, 101);
        for (var i = 0; i < length; i++)
            text.Append((char)(random.Next(2) is 0 ? random.Next(0x20, 0x7f) : random.Next(0x10000)));
        return text.ToString();
    }

    [GeneratedRegex(@"\A[a-z0-9]+(-[a-z0-9]+)*\z")]
    private static partial Regex Form();
}
