using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansStream.Checkpoints;

namespace OrleansStream.Http;

/// <summary>
/// Whether the silo can take part in jobs: it is active in the cluster, and the checkpoint store answers in time. Everybody may ask, so the store is asked once a second at most, however often it is asked here.
/// </summary>
internal sealed class SiloReadiness(IClusterMembershipService membership, ILocalSiloDetails local, ICheckpointStore store, StreamHttpOptions options, TimeProvider time) : IHealthCheck
{
    /// <summary>A name that no job's objects have; nothing is ever there.</summary>
    private const string Nothing = "_health/nothing";

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<HealthCheckResult>? _latest;
    private long _asked;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var status = membership.CurrentSnapshot.GetSiloStatus(local.SiloAddress);
        return status == SiloStatus.Active ? StoreAsync().WaitAsync(cancellationToken) : Task.FromResult(HealthCheckResult.Unhealthy($"The silo is {status} in the cluster."));
    }

    private Task<HealthCheckResult> StoreAsync()
    {
        lock (_lock)
        {
            if (_latest is { } latest && (!latest.IsCompleted || time.GetElapsedTime(_asked) < Fresh)) return latest;
            _asked = time.GetTimestamp();
            return _latest = Task.Run(AskStoreAsync);
        }
    }

    private async Task<HealthCheckResult> AskStoreAsync()
    {
        using var limit = new CancellationTokenSource(options.LongestHealthCheck, time);
        try
        {
            await store.ReadAsync(Nothing, limit.Token).AsTask().WaitAsync(limit.Token);
            return HealthCheckResult.Healthy();
        }
        catch (OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy($"The checkpoint store at {store.Location} did not answer in {options.LongestHealthCheck}.");
        }
        catch (Exception error)
        {
            return HealthCheckResult.Unhealthy($"The checkpoint store at {store.Location} cannot be read.", error);
        }
    }
}
