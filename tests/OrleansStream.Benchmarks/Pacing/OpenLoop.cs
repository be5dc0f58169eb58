using System.Diagnostics;
using OrleansStream.Sources;

namespace OrleansStream.Benchmarks.Pacing;

/// <summary>
/// An open loop: record n is due at the start + n / rate, whatever becomes of the records before it. So a job that stalls finds all that came due meanwhile, and
/// its latency counts from when each record was due (no coordinated omission).
/// </summary>
/// <param name="perSecond">The rate; null for as fast as records are taken.</param>
/// <param name="count">How many records; no end when null.</param>
internal sealed class OpenLoop(double? perSecond, long? count = null)
{
    private readonly double _ticksPerRecord = perSecond is { } rate ? Stopwatch.Frequency / rate : 0;
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _start;
    private volatile bool _ended;

    public long Count { get; } = count ?? long.MaxValue;

    public bool HasEnded => _ended;

    /// <summary>Completes with the first read.</summary>
    public Task Begun => _begun.Task;

    /// <summary>When the loop began, in ticks of <see cref="Stopwatch"/>; 0 before.</summary>
    public long Start => Volatile.Read(ref _start);

    /// <summary>The first read starts the clock.</summary>
    public void Begin(long now)
    {
        if (Start == 0 && Interlocked.CompareExchange(ref _start, now, 0) == 0) _begun.TrySetResult();
    }

    /// <summary>When a record is due, in ticks of <see cref="Stopwatch"/>.</summary>
    public long DueAt(long record) => _start + (long)(record * _ticksPerRecord);

    /// <summary>Ends the input before its time.</summary>
    public void End() => _ended = true;
}

/// <summary>Reads one split of an open loop: records split, split + splits, … as they come due.</summary>
/// <param name="record">Makes record n, which is due at a time.</param>
internal sealed class OpenLoopReader<T>(OpenLoop loop, Wake wake, int split, int splits, long taken, Func<long, long, T> record) : SplitReader<T>
{
    private long _next = split + taken * splits;

    public override string Position => $"record {_next}";

    public override ReadOnlyMemory<byte> SaveOffset() => NumberedOffset.Encode((_next - split) / splits);

    public override ReadStatus Read(SourceOutput<T> output)
    {
        var now = Stopwatch.GetTimestamp();
        loop.Begin(now);
        if (loop.HasEnded) return ReadStatus.Ended;
        var n = _next;
        for (; n < loop.Count && !output.IsFull; n += splits)
        {
            var due = loop.DueAt(n);
            if (due > now) break;
            output.Add(record(n, due));
        }

        _next = n;
        return n >= loop.Count ? ReadStatus.Ended : output.IsFull ? ReadStatus.More : ReadStatus.Waiting;
    }

    public override ValueTask WaitAsync(CancellationToken cancellation) => wake.WaitAsync(loop.DueAt(_next));
}
