using OrleansStream.Sources;

namespace OrleansStream.Tests.Formats;

/// <summary>A source whose splits give so many records and then wait; its splits have names that no folder shows in.</summary>
internal sealed class PartlyRead<T>(Source<T> source, params int[] records) : Source<T>
{
    public override async ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) =>
        [.. (await source.DiscoverAsync(cancellation)).Select(static split => split with { Name = Path.GetFileName(split.Name) })];

    public override async ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        var splits = (await source.DiscoverAsync(cancellation)).ToList();
        var index = splits.FindIndex(found => Path.GetFileName(found.Name) == split.Name);
        return new Reader(await source.OpenAsync(splits[index], offset, cancellation), index < records.Length ? records[index] : int.MaxValue);
    }

    private sealed class Reader(SplitReader<T> reader, int left) : SplitReader<T>
    {
        private int _left = left;

        public override string Position => reader.Position;

        public override ReadOnlyMemory<byte> SaveOffset() => reader.SaveOffset();

        public override ReadStatus Read(SourceOutput<T> output)
        {
            if (_left == 0) return ReadStatus.Waiting;
            output.Begin(Math.Min(_left, output.Room));
            var status = reader.Read(output);
            _left -= output.Count;
            return status;
        }

        public override ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}
