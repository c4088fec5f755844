using DataService.Domain;

namespace DataService.Tests.Domain;

public sealed class RepositoryNameTests
{
    private const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

    [Fact]
    public void A_suffix_is_a_hyphen_and_four_characters_of_0_to_9_and_a_to_z()
    {
        for (var i = 0; i < 1_000; i++)
            Assert.Matches(@"\Aacme-shop-[0-9a-z]{4}\z", RepositoryName.WithSuffix("acme-shop"));
    }

    [Fact]
    public void A_suffix_is_drawn_from_the_whole_alphabet_and_hardly_ever_twice()
    {
        var suffixes = Enumerable.Range(0, 2_000).Select(_ => RepositoryName.WithSuffix("a")[2..]).ToList();

        for (var position = 0; position < RepositoryName.SuffixLength; position++)
            Assert.Equal(Alphabet, string.Concat(suffixes.Select(suffix => suffix[position]).Distinct().Order()));
        // 36^4 suffixes: one or two of 2,000 are expected to come again.
        Assert.True(suffixes.Distinct().Count() > 1_950);
    }

    [Fact]
    public void The_longest_slug_with_a_suffix_has_the_length_that_GitHub_takes() =>
        Assert.Equal(100, RepositoryName.WithSuffix(new string('a', Slug.MaxLength)).Length);

    [Theory]
    [InlineData("owner/name")]
    [InlineData("o/n")]
    [InlineData("Owner-1/My.Repo_2-x")]
    [InlineData("1/1")]
    [InlineData("a-b-c/.github")]
    [InlineData("o/...")]
    [InlineData("o/-")]
    [InlineData("o/_")]
    [InlineData("o/..a")]
    public void A_full_name_is_an_owner_and_a_name(string text) => Assert.True(RepositoryName.IsFullName(text));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("name")]
    [InlineData("owner/")]
    [InlineData("/name")]
    [InlineData("owner/name/")]
    [InlineData("owner/name/more")]
    [InlineData("owner//name")]
    [InlineData("owner/.")]
    [InlineData("owner/..")]
    [InlineData("../name")]
    [InlineData("-owner/name")]
    [InlineData("owner-/name")]
    [InlineData("own--er/name")]
    [InlineData("own.er/name")]
    [InlineData("owner/na me")]
    [InlineData(" owner/name")]
    [InlineData("owner/name ")]
    [InlineData("owner/name\n")]
    [InlineData("owner\n/name")]
    [InlineData("owner/name\0")]
    [InlineData("owner/näme")]
    [InlineData("öwner/name")]
    [InlineData("owner/name?x=1")]
    [InlineData("owner/name#x")]
    [InlineData("owner/na%2fme")]
    [InlineData("owner\\name")]
    [InlineData("https://github.com/owner/name")]
    [InlineData("git@github.com:owner/name")]
    [InlineData("٣/name")]
    public void Anything_else_is_no_full_name(string text) => Assert.False(RepositoryName.IsFullName(text));

    [Theory]
    [InlineData(39, 100, true)]
    [InlineData(40, 100, false)]
    [InlineData(39, 101, false)]
    public void An_owner_has_up_to_39_and_a_name_up_to_100_characters(int owner, int name, bool fits) =>
        Assert.Equal(fits, RepositoryName.IsFullName($"{new string('o', owner)}/{new string('n', name)}"));

    [Theory]
    [InlineData(39, true)]
    [InlineData(41, false)]
    [InlineData(77, false)]
    public void The_hyphens_of_an_owner_count(int length, bool fits) =>
        Assert.Equal(fits, RepositoryName.IsFullName($"{string.Concat(Enumerable.Range(0, length).Select(i => i % 2 is 0 ? 'a' : '-'))}/name"));
}
