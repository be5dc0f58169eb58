using System.Diagnostics;
using OrleansStream.Benchmarks.Watches;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Benchmarks.State;

/// <summary>
/// Notes when each subtask processed records, and adds up what the keys had. It is chained to the function, so a write is a batch that the function has processed.
/// </summary>
internal sealed class UpdatedSink : Sink<Updated>
{
    private readonly Lock _lock = new();
    private readonly List<Writer> _writers = [];
    private readonly TaskCompletionSource _allBegun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override SinkGuarantee Guarantee => SinkGuarantee.AtLeastOnce;

    public long Count => Sum(static writer => writer.Count);

    /// <summary>The sum of all counts that keys had behind their updates.</summary>
    public long Counts => Sum(static writer => writer.Counts);

    /// <summary>How many updates found a key whose sum was not its count.</summary>
    public long Wrong => Sum(static writer => writer.Wrong);

    /// <summary>Completes when every subtask has processed records.</summary>
    public Task AllBegun => _allBegun.Task;

    /// <summary>When each subtask processed records.</summary>
    public IReadOnlyList<Beats> Beats
    {
        get
        {
            lock (_lock) return [.. _writers.Select(static writer => writer.Beats)];
        }
    }

    /// <summary>When the last subtask was opened, its state in place; in ticks of <see cref="Stopwatch"/>.</summary>
    public long LastOpened { get; private set; }

    public override ValueTask<SinkWriter<Updated>> OpenAsync(SinkContext context, CancellationToken cancellation)
    {
        var writer = new Writer(this);
        lock (_lock)
        {
            _writers.Add(writer);
            LastOpened = Stopwatch.GetTimestamp();
        }

        return new(writer);
    }

    private void Begun()
    {
        lock (_lock)
        {
            if (_writers.TrueForAll(static writer => writer.Beats.First != 0)) _allBegun.TrySetResult();
        }
    }

    private long Sum(Func<Writer, long> figure)
    {
        lock (_lock) return _writers.Sum(figure);
    }

    private sealed class Writer(UpdatedSink sink) : SinkWriter<Updated>
    {
        private long _count;

        public long Count => Volatile.Read(ref _count);

        public long Counts { get; private set; }

        public long Wrong { get; private set; }

        public Beats Beats { get; } = new();

        public override void Write(ReadOnlySpan<Updated> values, ReadOnlySpan<long> timestamps)
        {
            Beats.Note(Stopwatch.GetTimestamp());
            if (_count == 0) sink.Begun();
            foreach (ref readonly var value in values)
            {
                Counts += value.Count;
                if (value.Sum != value.Count) Wrong++;
            }

            Volatile.Write(ref _count, _count + values.Length);
        }

        public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation) => new((string?)null);
    }
}
