using System.Buffers.Binary;
using System.Globalization;
using OrleansStream.Jobs;

namespace OrleansStream.Sources;

/// <summary>Sources whose records are computed.</summary>
public static class Generator
{
    /// <summary>
    /// Makes records 0, 1, 2, … of a function of their number. Split s of S makes the records s, s + S, s + 2S, …; so the records of the whole source are the same
    /// whatever the number of splits. As fast as they are taken; the job may limit the rate.
    /// </summary>
    /// <param name="record">Makes record n; a pure function of n, for a restart makes the record again.</param>
    /// <param name="count">How many records the whole source makes; no end when null.</param>
    /// <param name="splits">How many splits, and so how many subtasks can share the work.</param>
    /// <param name="timestamp">The event time of record n in milliseconds since 1970-01-01T00:00:00Z; none when null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative or <paramref name="splits"/> below 1.</exception>
    public static Source<T> Of<T>(Func<long, T> record, long? count = null, int splits = 1, Func<long, long>? timestamp = null)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentOutOfRangeException.ThrowIfNegative(count ?? 0, nameof(count));
        ArgumentOutOfRangeException.ThrowIfLessThan(splits, 1);
        return new GeneratorSource<T>(record, count, splits, timestamp);
    }
}

internal sealed class GeneratorSource<T>(Func<long, T> record, long? count, int splits, Func<long, long>? timestamp) : Source<T>
{
    private readonly string _fingerprint = count is { } records ? records.ToString(CultureInfo.InvariantCulture) : "endless";

    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation)
    {
        var found = new SourceSplit[splits];
        for (var i = 0; i < splits; i++) found[i] = new SourceSplit(SplitName(i), _fingerprint);
        return new(found);
    }

    public override ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        for (var i = 0; i < splits; i++)
        {
            if (split.Name == SplitName(i)) return new(new Reader(record, count ?? long.MaxValue, i, splits, timestamp, NumberedOffset.Decode(offset.Span, split, i)));
        }

        throw new StreamException($"The generator has no split '{split.Name}': it has {splits}, named '{SplitName(0)}' and so on.");
    }

    private string SplitName(int index) => string.Create(CultureInfo.InvariantCulture, $"{index}-of-{splits}");

    private sealed class Reader : SplitReader<T>
    {
        private readonly Func<long, T> _record;
        private readonly long _end;
        private readonly long _step;
        private readonly Func<long, long>? _timestamp;
        private long _next;

        public Reader(Func<long, T> record, long end, int first, int splits, Func<long, long>? timestamp, long next)
        {
            if (next < first || next % splits != first) throw new StreamException($"The saved offset {next} is not a record of split {first} of {splits} of the generator.");
            _record = record;
            _end = end;
            _step = splits;
            _timestamp = timestamp;
            _next = next;
        }

        public override string Position => $"record {_next}";

        public override ReadOnlyMemory<byte> SaveOffset() => NumberedOffset.Encode(_next);

        public override ReadStatus Read(SourceOutput<T> output)
        {
            var n = _next;
            try
            {
                // Two loops, for the check for a timestamp is not free at this rate.
                if (_timestamp is { } timestamp)
                {
                    for (; n < _end && !output.IsFull; n += _step) output.Add(_record(n), timestamp(n));
                }
                else
                {
                    for (; n < _end && !output.IsFull; n += _step) output.Add(_record(n));
                }
            }
            catch (Exception e) when (e is not StreamException)
            {
                throw new StreamException($"The generator failed at record {n}: {e.GetType().Name}: {e.Message}", e);
            }
            finally
            {
                _next = n;
            }

            return n < _end ? ReadStatus.More : ReadStatus.Ended;
        }
    }
}

/// <summary>An offset that is a number.</summary>
internal static class NumberedOffset
{
    public static byte[] Encode(long next)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, next);
        return bytes;
    }

    public static long Decode(ReadOnlySpan<byte> bytes, SourceSplit split, long first)
    {
        if (bytes.IsEmpty) return first;
        return bytes.Length == sizeof(long)
            ? BinaryPrimitives.ReadInt64LittleEndian(bytes)
            : throw new StreamException($"The saved offset of split '{split.Name}' has {bytes.Length} bytes, not 8: the checkpoint was taken of another kind of source.");
    }
}
