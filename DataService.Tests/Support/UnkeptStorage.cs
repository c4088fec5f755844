using Hangfire;
using Hangfire.Server;
using Hangfire.States;
using Hangfire.Storage;

namespace DataService.Tests.Support;

/// <summary>
/// Hangfire's storage without what it runs by itself beside the workers, which counts succeeded jobs together and deletes expired ones: once in
/// a test's short life, over connections of their own.
/// </summary>
internal sealed class UnkeptStorage : JobStorage
{
    private readonly JobStorage _storage;

    public UnkeptStorage(JobStorage storage) => (_storage, JobExpirationTimeout) = (storage, storage.JobExpirationTimeout);

    public override bool LinearizableReads => _storage.LinearizableReads;

    public override IMonitoringApi GetMonitoringApi() => _storage.GetMonitoringApi();

    public override IStorageConnection GetConnection() => _storage.GetConnection();

    public override IStorageConnection GetReadOnlyConnection() => _storage.GetReadOnlyConnection();

    public override IEnumerable<IBackgroundProcess> GetServerRequiredProcesses() => _storage.GetServerRequiredProcesses();

    public override IEnumerable<IStateHandler> GetStateHandlers() => _storage.GetStateHandlers();

    public override void WriteOptionsToLog(Hangfire.Logging.ILog logger) => _storage.WriteOptionsToLog(logger);

    public override bool HasFeature(string featureId) => _storage.HasFeature(featureId);

    public override string ToString() => _storage.ToString()!;
}
