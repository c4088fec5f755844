using System.Text.Json;
using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.Reliability;

/// <summary>Nobody dies, but what became of a POST is not heard: of the one for the slug, and of the one for the suffixed name.</summary>
public sealed class LostAnswerTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private const string Slug = "unheard";

    public static MatrixTheoryData<string, bool> CarriedOut => new(
        [nameof(FaultKind.LostAnswer), nameof(FaultKind.StalledBody), nameof(FaultKind.EmptyBody)], [false, true]);

    /// <summary>A call that hangs runs into the timeout.</summary>
    public static MatrixTheoryData<string, bool> NotCarriedOut => new([nameof(FaultKind.Reset), nameof(FaultKind.Hang)], [false, true]);

    protected override Dictionary<string, string?> Settings => new()
    {
        ["GitHub:ContentBudget"] = "off",
        ["GitHub:RequestTimeout"] = "00:00:02",
        ["Jobs:FirstRetryDelay"] = "00:00:00.200",
    };

    [Theory]
    [MemberData(nameof(CarriedOut))]
    public async Task A_POST_that_was_carried_out_is_not_sent_again(string kind, bool isTaken)
    {
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "POST", Name = Name(isTaken), Times = 1 });

        var name = await EndsWithOneRepositoryAsync(isTaken);

        Assert.Single(Service.GitHub.CreationsOf(name));
    }

    [Theory]
    [MemberData(nameof(NotCarriedOut))]
    public async Task A_POST_that_was_not_carried_out_is_sent_again_for_the_same_name(string kind, bool isTaken)
    {
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "POST", Name = Name(isTaken), Times = 1 });

        var name = await EndsWithOneRepositoryAsync(isTaken);

        Assert.Equal(2, Service.GitHub.CreationsOf(name).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_POST_that_is_carried_out_after_the_timeout_leads_to_no_second_repository(bool isTaken)
    {
        Service.Break(new FaultRule { Kind = FaultKind.Delay, Method = "POST", Name = Name(isTaken), DelayMs = 3_000, Times = 1 });

        var name = await EndsWithOneRepositoryAsync(isTaken);

        Assert.InRange(Service.GitHub.CreationsOf(name).Count, 1, 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repository_of_ours_that_does_not_show_yet_is_waited_for_and_no_other_name_is_tried(bool isTaken)
    {
        Service.Break(new FaultRule { Kind = FaultKind.LostAnswer, Method = "POST", Name = Name(isTaken), Times = 1 });
        Service.Break(new FaultRule { Kind = FaultKind.NotYetVisible, Name = Name(isTaken), Times = 2 });

        var name = await EndsWithOneRepositoryAsync(isTaken);

        Assert.InRange(Service.GitHub.CreationsOf(name).Count, 1, 2);
    }

    /// <summary>The name whose creation is to go wrong.</summary>
    private static string Name(bool isTaken) => isTaken ? $"{Slug}-*" : Slug;

    /// <summary>Approves, waits until the creation is over, and returns the repository's name.</summary>
    private async Task<string> EndsWithOneRepositoryAsync(bool isTaken)
    {
        if (isTaken)
            Service.GitHub.AddStranger(Slug);
        await Service.ApproveAsync(await Service.CreateProjectAsync(Slug));
        var project = await Eventually.ReturnsAsync(
            () => Service.GetProjectAsync(Slug),
            project => project.GetProperty("githubRepo").ValueKind is JsonValueKind.String,
            "the repository to be linked");
        await Service.JobReachesAsync(project.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Succeeded");
        return Service.GitHub.HasExactlyOneRepositoryOf(project);
    }
}
