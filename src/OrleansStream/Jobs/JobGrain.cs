using Orleans.Concurrency;
using Orleans.Placement;
using OrleansStream.Hosting;

namespace OrleansStream.Jobs;

/// <inheritdoc cref="IJobGrain"/>
[Reentrant, PreferLocalPlacement]
internal sealed class JobGrain(IJobPort port, SiloJobs here, ILocalSiloDetails local, TimeProvider time) : Grain, IJobGrain
{
    /// <summary>How long a silo may take to say whether it leads the job; one that does not answer does not count.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How many silos that leave as well are asked one after the other.</summary>
    private const int MostTries = 10;

    private string? _leader;

    private string Job => this.GetPrimaryKeyString();

    public async Task StartAsync(JobStart start) => await (await LeaderAsync()).StartAsync(start);

    public async Task ReviveAsync() => await (await LeaderAsync()).ReviveAsync();

    public async Task StopAsync(string reason) => await (await LeaderAsync()).StopAsync(reason);

    public async Task<RescaleAnswer> RescaleAsync(int parallelism) => await (await LeaderAsync()).RescaleAsync(parallelism);

    public async Task<JobStatus> WaitMovedAsync() => await (await LeaderAsync()).WaitMovedAsync();

    public async Task<JobStatus> StatusAsync() => await (await LeaderAsync()).StatusAsync();

    public async Task<JobStatus> WaitAsync() => await (await LeaderAsync()).WaitAsync();

    public async Task MoveAwayAsync(string silo, HandOver? handed)
    {
        var leaving = new HashSet<string>(StringComparer.Ordinal) { silo };
        for (var tries = 0; tries < MostTries; tries++)
        {
            var leader = await LeaderAsync(leaving);
            if (await leader.MoveAwayAsync(silo, handed)) return;
            leaving.Add(_leader!);
        }
    }

    private Task<IJobLeaderGrain> LeaderAsync() => LeaderAsync(new HashSet<string>(StringComparer.Ordinal));

    /// <summary>The leader: the one that was last, if it still is; else one that says so; else one that is made.</summary>
    private async Task<IJobLeaderGrain> LeaderAsync(HashSet<string> leaving)
    {
        var silos = port.Silos.Where(silo => !leaving.Contains(silo)).ToList();
        if (_leader is not { } last || !silos.Contains(last) || await AskAsync(last) is not { IsActive: true })
        {
            var self = local.SiloAddress.ToParsableString();
            var known = await Task.WhenAll(silos.Select(AskAsync));
            // Where the call comes from is as good as any, and no further than it must be.
            var places = silos.Where(silo => silo != self || !here.IsLeaving).OrderByDescending(silo => silo == self).ToList();
            _leader = Leadership.Choose(known, places) ?? throw new StreamException($"Job '{Job}' has no silo to be led from: all are leaving.");
        }

        return GrainFactory.GetGrain<IJobLeaderGrain>(PinnedKey.Of(_leader, Job));
    }

    private async Task<Leadership> AskAsync(string silo)
    {
        try
        {
            return await GrainFactory.GetGrain<ISiloGrain>(PinnedKey.Of(silo, "silo")).LeadershipAsync(Job).WaitAsync(Patience, time);
        }
        catch (Exception)
        {
            return default;
        }
    }
}
