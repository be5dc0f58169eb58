using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>What parts need to stand alone.</summary>
internal static class PartSetup
{
    public const int MaxParallelism = 128;

    public static IServiceProvider Services { get; } = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public static StateSerializers Serializers { get; } = new(Services);

    /// <summary>The only subtask of a stage: all key groups are its own.</summary>
    public static SubtaskContext Context() => new()
    {
        Job = "benchmark",
        Stage = "part",
        Id = new SubtaskId(1, 0),
        Attempt = Attempt.First,
        Incarnation = new Incarnation(1),
        Parallelism = 1,
        MaxParallelism = MaxParallelism,
        Services = Services,
        Serializers = Serializers,
        State = new SubtaskState(new KeyGroupRange(0, MaxParallelism), MaxParallelism, Serializers),
        Splits = new Dictionary<string, IReadOnlyList<SourceSplit>>(),
    };

    public static CheckpointId Checkpoint(long number) => new(Attempt.First, number);

    /// <summary>The first records of the aggregate workload.</summary>
    public static Amount[] Amounts(int count, int keys) => [.. Enumerable.Range(0, count).Select(n => Amount.Make(n, keys))];
}
