using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansStream.Checkpoints;
using OrleansStream.Diagnostics;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>What the grains of a silo share: the one place where the engine meets randomness, threads and the clock.</summary>
internal sealed class StreamServices : IDisposable
{
    private readonly SnapshotThread _snapshotThread = new();
    private readonly ICheckpointStore _store;
    private readonly IOptions<OrleansStreamOptions> _options;
    private readonly TimeProvider _time;

    public StreamServices(
        IServiceProvider services, ICheckpointStore store, IOptions<OrleansStreamOptions> options, TimeProvider time, StreamMetrics metrics, ISnapshotPeers peers, ILogger<LocalSnapshots> logger)
    {
        _store = SegmentStore = store;
        _options = options;
        _time = time;
        Metrics = metrics;
        Serializers = new StateSerializers(services);
        if (options.Value.Checkpoints.LocalSnapshots is not { } folder) return;
        Snapshots = new SnapshotFolder(folder, options.Value.Checkpoints.LocalSnapshotBytes);
        SegmentStore = new LocalSnapshots(store, Snapshots, peers, time, logger);
    }

    public ICheckpointStore Store => _store;

    /// <summary>The store as subtasks see it, who write and read snapshots.</summary>
    public ICheckpointStore SegmentStore { get; }

    /// <summary>What this silo keeps of snapshots; null when it keeps nothing.</summary>
    public SnapshotFolder? Snapshots { get; }

    public OrleansStreamOptions Options => _options.Value;

    public TimeProvider Time => _time;

    public StreamMetrics Metrics { get; }

    public StateSerializers Serializers { get; }

    public SubtaskTimings SubtaskTimings { get; } = new();

    public CoordinatorTimings CoordinatorTimings { get; } = new();

    public SnapshotWriter NewSnapshotWriter() => new(SegmentStore, _snapshotThread, NewRetry(), Options.Checkpoints.PieceBytes);

    public RetryRule NewRetry() => new(_time, new Random(RandomNumberGenerator.GetInt32(int.MaxValue)));

    public static Incarnation NewIncarnation() => new(BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)));

    public static string NewWriterId() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"checkpoints in {_store.Location}");

    public void Dispose() => _snapshotThread.Dispose();
}
