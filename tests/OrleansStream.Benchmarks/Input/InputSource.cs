using System.Buffers.Binary;
using System.Globalization;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Benchmarks.Input;

/// <summary>The in-memory input as a replayable source: split s of S reads the blocks s, s + S, s + 2S, …; its offset is the number of the next record.</summary>
internal sealed class InputSource<TRecord>(RecordInput<TRecord> input, long count, int splits) : Source<TRecord>
    where TRecord : struct, ITimedRecord<TRecord>
{
    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) =>
        new([.. Enumerable.Range(0, splits).Select(index => new SourceSplit(NameOf(index), count.ToString(CultureInfo.InvariantCulture)))]);

    public override ValueTask<SplitReader<TRecord>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        var index = Enumerable.Range(0, splits).FirstOrDefault(index => split.Name == NameOf(index), -1);
        if (index < 0) throw new StreamException($"The input has no split '{split.Name}': it has {splits}, named '{NameOf(0)}' and so on.");
        var next = offset.IsEmpty ? (long)index * RecordInput<TRecord>.BlockLength : BinaryPrimitives.ReadInt64LittleEndian(offset.Span);
        return new(new Reader(input, count, splits, next));
    }

    private string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{index}-of-{splits}");

    private sealed class Reader(RecordInput<TRecord> input, long count, int splits, long next) : SplitReader<TRecord>
    {
        public override string Position => $"record {next} of {count}";

        public override ReadOnlyMemory<byte> SaveOffset()
        {
            var bytes = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, next);
            return bytes;
        }

        public override ReadStatus Read(SourceOutput<TRecord> output)
        {
            while (next < count && output.Room > 0)
            {
                var records = input.From(next, count, out var shift);
                if (records.Length > output.Room) records = records[..output.Room];
                foreach (ref readonly var record in records) output.Add(record.Later(shift), record.Time + shift);
                next += records.Length;
                if (next % RecordInput<TRecord>.BlockLength == 0) next += (long)RecordInput<TRecord>.BlockLength * (splits - 1);
            }

            return next < count ? ReadStatus.More : ReadStatus.Ended;
        }
    }
}
