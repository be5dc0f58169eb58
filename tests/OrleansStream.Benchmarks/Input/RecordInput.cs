namespace OrleansStream.Benchmarks.Input;

/// <summary>
/// Records in memory, shared by all contenders and runs: record n is a pure function of n. There is an array of them, which is walked again and again; each time event time goes on
/// where it was. Read in blocks, so that sharing the records out costs nothing per record.
/// </summary>
/// <typeparam name="TRecord">The type of a record.</typeparam>
internal sealed class RecordInput<TRecord>
    where TRecord : struct, ITimedRecord<TRecord>
{
    public const int BlockLength = 1024;

    /// <summary>Records per millisecond of event time.</summary>
    public const int PerMillisecond = 10;

    /// <summary>Whole blocks and whole milliseconds; about 4 million, 100 MB of records of 24 bytes: far more than a cache holds.</summary>
    public const int UsualLength = 819 * BlockLength * PerMillisecond / 2;

    /// <summary>About 10 million, where keys are so many that the usual length would not meet them.</summary>
    public const int LargestLength = 1953 * BlockLength * PerMillisecond / 2;

    private readonly TRecord[] _records;

    public RecordInput(int keys, Func<long, TRecord> make)
    {
        Keys = keys;
        _records = new TRecord[keys <= UsualLength / 4 ? UsualLength : LargestLength];
        Parallel.For(0, _records.Length / BlockLength, block =>
        {
            for (var n = block * BlockLength; n < (block + 1) * BlockLength; n++) _records[n] = make(n);
        });
    }

    /// <summary>How many different keys the records were made of.</summary>
    public int Keys { get; }

    /// <summary>How many blocks a number of records has; the last one may be cut.</summary>
    public static long BlocksOf(long count) => (count + BlockLength - 1) / BlockLength;

    /// <summary>A run of records that ends where its block, or the count, does.</summary>
    /// <param name="from">The number of the first.</param>
    /// <param name="count">How many records there are in all.</param>
    /// <param name="shift">What is to be added to the time of each, in milliseconds.</param>
    public ReadOnlySpan<TRecord> From(long from, long count, out long shift)
    {
        var (pass, index) = Math.DivRem(from, _records.Length);
        shift = pass * (_records.Length / PerMillisecond);
        return _records.AsSpan((int)index, (int)Math.Min(BlockLength - from % BlockLength, count - from));
    }

    /// <summary>All records of a count one by one, for peers that want it so.</summary>
    public IEnumerable<TRecord> Take(long count)
    {
        for (long n = 0; n < count; n++)
        {
            var (pass, index) = Math.DivRem(n, _records.Length);
            yield return _records[index].Later(pass * (_records.Length / PerMillisecond));
        }
    }

    /// <summary>A well-mixed number of n (SplitMix64).</summary>
    public static ulong Random(long n)
    {
        var mixed = (ulong)n * 0x9E3779B97F4A7C15UL + 0x9E3779B97F4A7C15UL;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }
}
