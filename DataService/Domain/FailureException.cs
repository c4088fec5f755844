namespace DataService.Domain;

/// <summary>Carries a classified failure to whoever answers for it: a job, or the HTTP answer.</summary>
internal sealed class FailureException(Failure failure) : Exception(failure.Text)
{
    public Failure Failure => failure;
}
