using System.Diagnostics;

namespace OrleansStream.Benchmarks;

/// <summary>What one run took. A contender that has a start-up of its own marks where the work begins and ends.</summary>
internal sealed record Measurement
{
    private static Marks? _begun;
    private static Measurement? _ended;

    public required TimeSpan Time { get; init; }

    /// <summary>Processor time of all threads.</summary>
    public required TimeSpan Processor { get; init; }

    public required long AllocatedBytes { get; init; }

    /// <summary>All times in which the collector held the threads, together.</summary>
    public required TimeSpan Pauses { get; init; }

    public required TimeSpan LongestPause { get; init; }

    /// <summary>Collections by generation: each counts in the generations below it too, as the runtime counts.</summary>
    public required int[] Collections { get; init; }

    /// <summary>Resident memory when the run began: the input, and what the runtime keeps.</summary>
    public required long BeganAtBytes { get; init; }

    /// <summary>The most resident memory during the run.</summary>
    public required long PeakBytes { get; init; }

    public static void Begin()
    {
        // What other contenders left is returned to the system, so that the peak is this run's.
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        _ended = null;
        ResidentMemory.ResetPeak();
        PauseListener.Instance.Reset();
        _begun = Marks.Take();
    }

    public static void End()
    {
        var (begun, now) = (_begun!, Marks.Take());
        _ended = new Measurement
        {
            Time = Stopwatch.GetElapsedTime(begun.Timestamp, now.Timestamp),
            Processor = now.Processor - begun.Processor,
            AllocatedBytes = now.Allocated - begun.Allocated,
            Pauses = now.Pauses - begun.Pauses,
            LongestPause = PauseListener.Instance.Longest,
            Collections = [.. now.Collections.Zip(begun.Collections, static (after, before) => after - before)],
            BeganAtBytes = begun.ResidentBytes,
            PeakBytes = ResidentMemory.PeakBytes,
        };
    }

    /// <summary>Measures a run: between its own marks where it has set them, else as a whole.</summary>
    public static async Task<(Measurement Measured, T Result)> OfAsync<T>(Func<Task<T>> run)
    {
        Begin();
        var result = await run();
        if (_ended is null) End();
        return (_ended!, result);
    }

    private sealed record Marks(long Timestamp, TimeSpan Processor, long Allocated, TimeSpan Pauses, int[] Collections, long ResidentBytes)
    {
        public static Marks Take() => new(
            Stopwatch.GetTimestamp(),
            Environment.CpuUsage.TotalTime,
            GC.GetTotalAllocatedBytes(precise: true),
            GC.GetTotalPauseDuration(),
            [GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2)],
            ResidentMemory.NowBytes);
    }
}
