namespace DataService.Domain;

internal enum ProjectStatus
{
    Interviewing,
    Review,
    Active,
    Complete,
}
