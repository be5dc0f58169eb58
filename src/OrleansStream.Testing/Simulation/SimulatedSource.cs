namespace OrleansStream.Testing.Simulation;

/// <summary>The records of one of a job's sources in a simulation.</summary>
public abstract class SimulatedSource
{
    private protected SimulatedSource()
    {
    }

    internal abstract Type RecordType { get; }

    /// <summary>How long it takes until the last record is there.</summary>
    internal abstract TimeSpan Duration { get; }
}

/// <summary>
/// The records of one of a job's sources in a simulation: given once, read again by each attempt from where its checkpoint stands, a few at a time and with waits as the seed
/// has it. Holds nothing of a run, so several runs may read it at once. The records themselves are handed out each time they are read: a job must not change them.
/// </summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class SimulatedSource<T> : SimulatedSource, ISimulatedInput<T>
{
    private readonly TestRecord<T>[][] _splits;

    /// <summary>Takes records without times of their own, for jobs that read them from the record.</summary>
    /// <param name="records">The records, in order. Split s of S has the records s, s + S, s + 2S, …</param>
    /// <param name="splits">How many splits the source has. Between them there is no order.</param>
    public SimulatedSource(IEnumerable<T> records, int splits = 1)
        : this((records ?? throw new ArgumentNullException(nameof(records))).Select(static record => new TestRecord<T>(record, Sources.SourceOutput<T>.NoTimestamp)), splits)
    {
    }

    /// <summary>Takes records with their times, for jobs that keep the times of the source.</summary>
    /// <inheritdoc cref="SimulatedSource{T}(IEnumerable{T}, int)"/>
    public SimulatedSource(IEnumerable<TestRecord<T>> records, int splits = 1)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentOutOfRangeException.ThrowIfLessThan(splits, 1);
        var all = records.ToList();
        _splits = [.. Enumerable.Range(0, splits).Select(split => all.Where((_, index) => index % splits == split).ToArray())];
    }

    private SimulatedSource(TestRecord<T>[][] splits) => _splits = splits;

    /// <summary>
    /// How much virtual time passes from one record of a split to the next: the n-th, counted from 0, is there n times as long after the start of the run, and an attempt that begins
    /// anew finds those before it at once. None unless set: all records are there from the start. Set it when processing time matters to the job.
    /// </summary>
    public TimeSpan Pace
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A pace is not below 0.");
    }

    /// <summary>All records, split by split.</summary>
    public IEnumerable<T> Records => _splits.SelectMany(static split => split).Select(static record => record.Value);

    /// <summary>Takes records split by split.</summary>
    /// <param name="splits">The records of each split, in order.</param>
    public static SimulatedSource<T> OfSplits(params IEnumerable<IEnumerable<TestRecord<T>>> splits)
    {
        ArgumentNullException.ThrowIfNull(splits);
        TestRecord<T>[][] all = [.. splits.Select(static split => split.ToArray())];
        return all.Length > 0 ? new SimulatedSource<T>(all) : throw new ArgumentException("A source has a split at least; it may be empty.", nameof(splits));
    }

    internal override Type RecordType => typeof(T);

    internal override TimeSpan Duration => Pace * _splits.Max(static split => split.Length);

    int ISimulatedInput<T>.Splits => _splits.Length;

    string ISimulatedInput<T>.NameOf(int split) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{split}-of-{_splits.Length}");

    int ISimulatedInput<T>.CountOf(int split) => _splits[split].Length;

    TestRecord<T> ISimulatedInput<T>.this[int split, long n] => _splits[split][n];
}
