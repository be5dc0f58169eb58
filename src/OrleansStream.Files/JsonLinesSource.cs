using System.Text.Json.Serialization.Metadata;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream;

/// <summary>Files of JSON lines, each of them a split.</summary>
internal sealed class JsonLinesSource<T> : Source<T>, IOpensFiles
{
    private readonly string[] _paths;
    private FileAccessRules _rules = FileAccessRules.Unlimited;
    private readonly JsonLinesOptions _options;
    private readonly JsonTypeInfo<T> _type;

    public JsonLinesSource(string[] paths, JsonLinesOptions options, JsonTypeInfo<T> type)
    {
        if (options.MaxLineBytes < 1) throw new JobRefusedException($"{nameof(JsonLinesOptions.MaxLineBytes)} is {options.MaxLineBytes}: it must be 1 or more.");
        _paths = paths;
        _options = options;
        _type = type;
    }

    public void Limit(FileAccessRules rules) => _rules = rules;

    public override async ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) => await FileSplits.DiscoverAsync(_paths, _rules, cancellation);

    public override async ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation) =>
        await Task.Run(() => Open(split, offset, cancellation), cancellation);

    private JsonLinesSplitReader<T> Open(SourceSplit split, ReadOnlyMemory<byte> saved, CancellationToken cancellation)
    {
        var file = SplitFile.Open(split, _rules);
        try
        {
            var offset = FileOffset.Decode(saved.Span, split.Name, file.Length);
            if (offset.Position == 0)
            {
                var start = new byte[3];
                offset = offset with { Position = FileSplits.ByteOrderMark(start.AsSpan(0, file.Read(0, start))) };
            }

            file.BeginAt(offset.Position, cancellation);
            return new JsonLinesSplitReader<T>(file, offset, _options, _type);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
