using OrleansStream.Jobs;

namespace OrleansStream.Sinks;

/// <summary>Counts records and keeps nothing, for benchmarks. At least once: a record that is sent again after a restart is counted again.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class CountingSink<T> : Sink<T>
{
    private readonly Lock _lock = new();
    private readonly List<Writer> _writers = [];

    /// <inheritdoc/>
    public override SinkGuarantee Guarantee => SinkGuarantee.AtLeastOnce;

    /// <summary>How many records were written in this process, over all subtasks and attempts. May be read at any time by any thread.</summary>
    public long Count
    {
        get
        {
            lock (_lock) return _writers.Sum(w => w.Count);
        }
    }

    /// <summary>How many records one subtask wrote in this process, over all attempts.</summary>
    /// <param name="subtask">The subtask's index.</param>
    public long CountOf(int subtask)
    {
        lock (_lock) return _writers.Where(w => w.Subtask == subtask).Sum(w => w.Count);
    }

    /// <inheritdoc/>
    public override ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation)
    {
        var writer = new Writer(context.Subtask);
        lock (_lock) _writers.Add(writer);
        return new(writer);
    }

    private sealed class Writer(int subtask) : SinkWriter<T>
    {
        private long _count;

        public int Subtask => subtask;

        public long Count => Volatile.Read(ref _count);

        public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps) => Volatile.Write(ref _count, _count + values.Length);

        public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation) => new((string?)null);
    }
}
