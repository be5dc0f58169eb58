using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream;

/// <summary>CSV files, each of them a split.</summary>
internal sealed class CsvSource<T> : Source<T>, IOpensFiles
{
    private readonly string[] _paths;
    private FileAccessRules _rules = FileAccessRules.Unlimited;
    private readonly Func<CsvRow, T> _read;
    private readonly CsvOptions _options;

    public CsvSource(string[] paths, Func<CsvRow, T> read, CsvOptions options)
    {
        if (!char.IsAscii(options.Separator) || options.Separator is '"' or '\r' or '\n')
            throw new JobRefusedException($"'{options.Separator}' cannot separate fields: {nameof(CsvOptions.Separator)} must be an ASCII character other than a quote or a line break.");
        if (options.MaxRowBytes < 1) throw new JobRefusedException($"{nameof(CsvOptions.MaxRowBytes)} is {options.MaxRowBytes}: it must be 1 or more.");
        _paths = paths;
        _read = read;
        _options = options;
    }

    public void Limit(FileAccessRules rules) => _rules = rules;

    public override async ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation)
    {
        var splits = await FileSplits.DiscoverAsync(_paths, _rules, cancellation);
        foreach (var split in splits)
        {
            await Task.Run(
                () =>
                {
                    using var file = SplitFile.Open(split, _rules);
                    CsvHeader.Read(file, _options);
                },
                cancellation);
        }

        return splits;
    }

    public override async ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation) =>
        await Task.Run(() => Open(split, offset, cancellation), cancellation);

    private CsvSplitReader<T> Open(SourceSplit split, ReadOnlyMemory<byte> saved, CancellationToken cancellation)
    {
        var file = SplitFile.Open(split, _rules);
        try
        {
            var header = CsvHeader.Read(file, _options);
            var offset = saved.IsEmpty ? header.End : FileOffset.Decode(saved.Span, split.Name, file.Length);
            if (offset.Position < header.End.Position)
                throw new StreamException($"The saved offset of '{split.Name}' is byte {offset.Position}, within the header.");
            file.BeginAt(offset.Position, cancellation);
            return new CsvSplitReader<T>(file, header, offset, _read, _options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
