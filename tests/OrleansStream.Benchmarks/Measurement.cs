using System.Diagnostics;

namespace OrleansStream.Benchmarks;

/// <summary>What one run took: time, processor time, allocations, pauses. A contender that has a start-up of its own marks where the work begins and ends.</summary>
internal sealed record Measurement(TimeSpan Time, TimeSpan Processor, long AllocatedBytes, TimeSpan Pauses, int Gen2, long PeakBytes)
{
    private static Marks? _begun;
    private static Measurement? _ended;

    public static void Begin()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _ended = null;
        _begun = Marks.Take();
    }

    public static void End()
    {
        var (begun, now) = (_begun!, Marks.Take());
        _ended = new Measurement(
            Stopwatch.GetElapsedTime(begun.Timestamp, now.Timestamp), now.Processor - begun.Processor, now.Allocated - begun.Allocated, now.Pauses - begun.Pauses, now.Gen2 - begun.Gen2,
            now.PeakBytes);
    }

    /// <summary>Measures a run: between its own marks where it has set them, else as a whole.</summary>
    public static async Task<(Measurement Measured, T Result)> OfAsync<T>(Func<Task<T>> run)
    {
        Begin();
        var result = await run();
        if (_ended is null) End();
        return (_ended!, result);
    }

    private sealed record Marks(long Timestamp, TimeSpan Processor, long Allocated, TimeSpan Pauses, int Gen2, long PeakBytes)
    {
        public static Marks Take()
        {
            using var process = Process.GetCurrentProcess();
            return new Marks(
                Stopwatch.GetTimestamp(), process.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true), GC.GetTotalPauseDuration(), GC.CollectionCount(2), process.PeakWorkingSet64);
        }
    }
}
