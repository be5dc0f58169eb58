using Orleans.Concurrency;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Hosting;

/// <summary>Hands out what a silo keeps of snapshots, to other silos; pinned to it.</summary>
internal interface ISnapshotsGrain : IGrainWithStringKey
{
    /// <summary>The length of a segment; null when the silo does not keep it.</summary>
    Task<long?> LengthAsync(string name);

    /// <summary>Reads a part of a segment; null when the silo does not keep it any more. An array: its bytes are sent as they are, those of a memory one by one.</summary>
    Task<byte[]?> ReadAsync(string name, long offset, int length);
}

/// <inheritdoc/>
[Reentrant, PinnedPlacement]
internal sealed class SnapshotsGrain(StreamServices services) : Grain, ISnapshotsGrain
{
    public async Task<long?> LengthAsync(string name) => services.Snapshots is { } folder ? await OwnFiles.OnThreadAsync(() => folder.LengthOf(name)) : null;

    public async Task<byte[]?> ReadAsync(string name, long offset, int length) => services.Snapshots is { } folder ? await OwnFiles.OnThreadAsync(() => folder.Read(name, offset, length)) : null;
}

/// <summary>Reaches the other silos' snapshots by grain calls.</summary>
internal sealed class GrainSnapshotPeers(IGrainFactory grains, IJobPort port, ILocalSiloDetails local, SuspectedSilos suspects) : ISnapshotPeers
{
    private readonly string _here = local.SiloAddress.ToParsableString();

    public IReadOnlyList<string> Others => [.. port.Silos.Where(silo => silo != _here)];

    public bool SeemsGone(string silo) => suspects.Contains(silo);

    public Task<long?> LengthAsync(string silo, string name) => Of(silo).LengthAsync(name);

    public Task<byte[]?> ReadAsync(string silo, string name, long offset, int length) => Of(silo).ReadAsync(name, offset, length);

    private ISnapshotsGrain Of(string silo) => grains.GetGrain<ISnapshotsGrain>(PinnedKey.Of(silo, "snapshots"));
}
