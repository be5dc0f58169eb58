using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using OrleansStream.Checkpoints;
using OrleansStream.Diagnostics;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>What the grains of a silo share: the one place where the engine meets randomness, threads and the clock.</summary>
internal sealed class StreamServices(IServiceProvider services, ICheckpointStore store, IOptions<OrleansStreamOptions> options, TimeProvider time, StreamMetrics metrics) : IDisposable
{
    private readonly SnapshotThread _snapshots = new();

    public ICheckpointStore Store => store;

    public OrleansStreamOptions Options => options.Value;

    public TimeProvider Time => time;

    public StreamMetrics Metrics => metrics;

    public StateSerializers Serializers { get; } = new(services);

    public SubtaskTimings SubtaskTimings { get; } = new();

    public CoordinatorTimings CoordinatorTimings { get; } = new();

    public SnapshotWriter NewSnapshotWriter() => new(store, _snapshots, NewRetry(), options.Value.Checkpoints.PieceBytes);

    public RetryRule NewRetry() => new(time, new Random(RandomNumberGenerator.GetInt32(int.MaxValue)));

    public static Incarnation NewIncarnation() => new(BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)));

    public static string NewWriterId() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"checkpoints in {store.Location}");

    public void Dispose() => _snapshots.Dispose();
}
