using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Testing;

/// <summary>A record as it came out.</summary>
/// <typeparam name="T">The type of the record.</typeparam>
/// <param name="Value">The record.</param>
/// <param name="Timestamp">Its event time in milliseconds since 1970.</param>
public readonly record struct TestRecord<T>(T Value, long Timestamp);

/// <summary>
/// A sink that a test reads. Records are there as soon as the job has written them; those written after the last checkpoint are taken back when the harness lets the job
/// crash, because the job writes them again. For one harness; from the subtasks of one writer after another, in no order between those of different keys.
/// </summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class TestOutput<T> : Sink<T>, ITestOutput
{
    private readonly List<TestRecord<T>> _records = [];
    private int _taken;
    private int _kept;

    /// <inheritdoc/>
    public override SinkGuarantee Guarantee => SinkGuarantee.ExactlyOnce;

    /// <summary>All records that were written and not taken back, in the order of writing.</summary>
    public IReadOnlyList<TestRecord<T>> Records => _records;

    /// <summary>Their values.</summary>
    public IEnumerable<T> Values => _records.Select(static record => record.Value);

    /// <summary>The records that were written since this was last called.</summary>
    public IReadOnlyList<TestRecord<T>> Take()
    {
        var from = _taken;
        _taken = _records.Count;
        return _records[from..];
    }

    /// <inheritdoc/>
    public override ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation) => new(new Writer(this));

    void ITestOutput.Begin()
    {
        _records.Clear();
        _taken = _kept = 0;
    }

    void ITestOutput.Keep() => _kept = _records.Count;

    void ITestOutput.TakeBack()
    {
        _records.RemoveRange(_kept, _records.Count - _kept);
        _taken = Math.Min(_taken, _kept);
    }

    private sealed class Writer(TestOutput<T> output) : SinkWriter<T>
    {
        public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps)
        {
            for (var i = 0; i < values.Length; i++) output._records.Add(new TestRecord<T>(values[i], timestamps[i]));
        }

        public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation) => new((string?)null);
    }
}

/// <summary>A test output whose record type does not matter.</summary>
internal interface ITestOutput
{
    /// <summary>Forgets what an earlier harness wrote.</summary>
    void Begin();

    /// <summary>What is written is covered by a checkpoint.</summary>
    void Keep();

    /// <summary>Takes back what was written since.</summary>
    void TakeBack();
}
