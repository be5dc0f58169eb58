namespace OrleansStream.Benchmarks;

/// <summary>What a run is given.</summary>
internal sealed record RunSettings(long Events, int Keys, int Parallelism, TimeSpan CheckpointInterval);

/// <summary>Something that does the work: the engine, or a peer of it. Each gives the same answer.</summary>
internal interface IContender
{
    string Name { get; }

    /// <summary>Does the work once; returns a number that stands for the answer, so that contenders can be compared, and what it has to remark.</summary>
    Task<(long Answer, string Remark)> RunAsync(RunSettings settings);
}

/// <summary>A workload: the same work for all its contenders; the first is ours.</summary>
internal sealed record Workload(string Name, string Description, IReadOnlyList<IContender> Contenders);

internal static class Workloads
{
    private static readonly IReadOnlyList<Workload> All =
    [
        new Workload(
            "window-average",
            "generator -> select -> key by -> 1 s tumbling event-time average -> counting sink; string keys, one record per 0.1 ms of event time",
            [new WindowAverageJob(), new WindowAverageLoop()]),
    ];

    public static IReadOnlyList<string> Names => [.. All.Select(static workload => workload.Name)];

    public static Workload? Find(string name) => All.FirstOrDefault(workload => workload.Name == name);
}
