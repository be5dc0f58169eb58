using System.Diagnostics;

namespace OrleansStream.Benchmarks.Watches;

/// <summary>Samples resident memory, and a count, every 20 ms, on a thread of its own: the pool's threads are busy with what is measured.</summary>
internal sealed class MemorySamples : IDisposable
{
    private const int IntervalMs = 20;

    private readonly Func<long> _count;
    private readonly Lock _lock = new();
    private readonly List<(long At, long Bytes, long Count)> _samples = [];
    private readonly ManualResetEventSlim _stopped = new();
    private readonly Thread _thread;

    public MemorySamples(Func<long> count)
    {
        _count = count;
        _thread = new Thread(Run) { IsBackground = true, Name = "memory samples" };
        _thread.Start();
    }

    /// <summary>The most within a time, given in ticks of <see cref="Stopwatch"/>.</summary>
    public long PeakBytes(long from, long to)
    {
        lock (_lock) return _samples.Where(sample => sample.At >= from && sample.At <= to).Select(static sample => sample.Bytes).DefaultIfEmpty(0).Max();
    }

    /// <summary>How fast the count grew within a time, a second.</summary>
    public double PerSecond(long from, long to)
    {
        lock (_lock)
        {
            var within = _samples.Where(sample => sample.At >= from && sample.At <= to).ToList();
            return within.Count < 2 ? 0 : (within[^1].Count - within[0].Count) / Stopwatch.GetElapsedTime(within[0].At, within[^1].At).TotalSeconds;
        }
    }

    public void Dispose()
    {
        _stopped.Set();
        _thread.Join();
        _stopped.Dispose();
    }

    private void Run()
    {
        while (!_stopped.Wait(IntervalMs))
        {
            var sample = (Stopwatch.GetTimestamp(), ResidentMemory.NowBytes, _count());
            lock (_lock) _samples.Add(sample);
        }
    }
}
