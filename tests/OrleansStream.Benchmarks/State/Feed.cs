using System.Diagnostics;
using OrleansStream.Benchmarks.Pacing;
using OrleansStream.Benchmarks.Watches;
using OrleansStream.Sources;

namespace OrleansStream.Benchmarks.State;

/// <summary>What the splits of the source read now.</summary>
internal abstract record Phase
{
    /// <summary>Nothing.</summary>
    public sealed record Rest : Phase;

    /// <summary>Every <paramref name="Stride"/>th key once, as fast as they are taken.</summary>
    public sealed record Sweep(int Stride) : Phase;

    /// <summary>Random keys at a rate.</summary>
    public sealed record Load(OpenLoop Loop) : Phase;

    /// <summary>The input ends.</summary>
    public sealed record End : Phase;
}

/// <summary>The input of the state workload, in phases that the workload sets while the job runs. The offset of a split is how many updates it has given.</summary>
internal sealed class Feed(int keys, int splits, PacingThread pacing)
{
    private readonly FeedReader?[] _readers = new FeedReader?[splits];
    private volatile Phase _phase = new Phase.Rest();
    private TaskCompletionSource _swept = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _sweeping;

    public int Keys => keys;

    public int Splits => splits;

    public Phase Phase => _phase;

    /// <summary>How many updates were given, over all splits and starts. Exact when the feed rests.</summary>
    public long Given => _readers.Sum(static reader => reader?.Taken ?? 0);

    /// <summary>How many updates the splits had given when they were opened.</summary>
    public long GivenBefore => _readers.Sum(static reader => reader?.TakenBefore ?? 0);

    /// <summary>When each split gave records.</summary>
    public IReadOnlyList<Beats> Beats => [.. _readers.Select(static reader => reader!.Beats)];

    public Source<Update> Source => new SplitSource<Update>(splits, (split, taken) => _readers[split] = new FeedReader(this, pacing.Add(), split, taken));

    public void Rest() => _phase = new Phase.Rest();

    public void Load(double perSecond) => _phase = new Phase.Load(new OpenLoop(perSecond));

    public void End() => _phase = new Phase.End();

    /// <summary>Gives every <paramref name="stride"/>th key once, and rests; completes when all are given.</summary>
    public async Task SweepAsync(int stride)
    {
        _swept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sweeping = splits;
        _phase = new Phase.Sweep(stride);
        await _swept.Task;
        Rest();
    }

    /// <summary>A split has given its share of a sweep.</summary>
    public void Swept()
    {
        if (Interlocked.Decrement(ref _sweeping) == 0) _swept.TrySetResult();
    }
}

/// <summary>Reads one split of a feed.</summary>
/// <param name="taken">How many updates the split has given before.</param>
internal sealed class FeedReader(Feed feed, Wake wake, int split, long taken) : SplitReader<Update>
{
    /// <summary>How often a split that rests looks for a new phase.</summary>
    private static readonly long Glance = Stopwatch.Frequency / 1000;

    private Phase? _phase;
    private long _inPhase;
    private bool _sweptAll;
    private long _taken = taken;

    public long TakenBefore { get; } = taken;

    public Beats Beats { get; } = new();

    public long Taken => Volatile.Read(ref _taken);

    public override string Position => $"update {_taken}";

    public override ReadOnlyMemory<byte> SaveOffset() => NumberedOffset.Encode(_taken);

    public override ReadStatus Read(SourceOutput<Update> output)
    {
        var phase = feed.Phase;
        if (phase != _phase) (_phase, _inPhase, _sweptAll) = (phase, 0, false);
        var now = Stopwatch.GetTimestamp();
        var status = phase switch
        {
            Phase.Sweep sweep => Sweep(output, sweep.Stride),
            Phase.Load load => Load(output, load.Loop, now),
            Phase.End => ReadStatus.Ended,
            _ => ReadStatus.Waiting,
        };
        if (output.Count > 0) Beats.Note(now);
        return status;
    }

    public override ValueTask WaitAsync(CancellationToken cancellation) =>
        wake.WaitAsync(_phase is Phase.Load load ? load.Loop.DueAt(Number(_inPhase)) : Stopwatch.GetTimestamp() + Glance);

    private ReadStatus Sweep(SourceOutput<Update> output, int stride)
    {
        while (!output.IsFull)
        {
            var key = Number(_inPhase) * stride;
            if (key >= feed.Keys)
            {
                if (!_sweptAll) feed.Swept();
                _sweptAll = true;
                return ReadStatus.Waiting;
            }

            Give(output, (int)key);
        }

        return ReadStatus.More;
    }

    private ReadStatus Load(SourceOutput<Update> output, OpenLoop loop, long now)
    {
        loop.Begin(now);
        while (!output.IsFull)
        {
            if (loop.DueAt(Number(_inPhase)) > now) return ReadStatus.Waiting;
            Give(output, (int)((uint)(Random(Number(_taken)) >> 32) % (uint)feed.Keys));
        }

        return ReadStatus.More;
    }

    /// <summary>The number within the whole source of the split's nth record.</summary>
    private long Number(long n) => split + n * feed.Splits;

    /// <summary>The output function of SplitMix64, shortened.</summary>
    private static ulong Random(long n)
    {
        var mixed = (ulong)(n + 1) * 0x9E3779B97F4A7C15UL;
        return (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
    }

    private void Give(SourceOutput<Update> output, int key)
    {
        output.Add(new Update(key, 1));
        _inPhase++;
        Volatile.Write(ref _taken, _taken + 1);
    }
}
