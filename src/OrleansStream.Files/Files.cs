using System.Text.Json.Serialization.Metadata;
using OrleansStream.Functions;
using OrleansStream.Sinks;
using OrleansStream.Sources;

namespace OrleansStream;

/// <summary>Local files as sources and sinks: CSV and JSON lines. The files are UTF-8.</summary>
public static class Files
{
    /// <summary>Where the rows and lines go that cannot be read, when the source was told <see cref="BadRecords.SideOutput"/>.</summary>
    public static readonly SideOutput<BadRecord> Bad = new("bad-records");

    /// <summary>Reads one CSV file with a header (RFC 4180): one split. See <see cref="Csv{T}(IEnumerable{string}, Func{CsvRow, T}, CsvOptions)"/>.</summary>
    public static Source<T> Csv<T>(string path, Func<CsvRow, T> read, CsvOptions? options = null) => Csv([path], read, options);

    /// <summary>
    /// Reads CSV files with a header (RFC 4180), each of them one split. Replayable: a restart goes on at the byte where the checkpoint stood.
    /// The files must not change while the job has not finished: a change of their content is noticed and refused.
    /// </summary>
    /// <param name="paths">The files. The path as given names the split, so give the same paths when the job is started again.</param>
    /// <param name="read">Makes a record of a row; the row is valid during the call only.</param>
    /// <param name="options">Separator, limits, and what to do with a row that cannot be read.</param>
    /// <exception cref="Jobs.JobRefusedException">No file is given, or one twice.</exception>
    public static Source<T> Csv<T>(IEnumerable<string> paths, Func<CsvRow, T> read, CsvOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(read);
        return new CsvSource<T>(FileSplits.Check(paths), read, options ?? new CsvOptions());
    }

    /// <summary>Reads files of one JSON value a line with the default options. See <see cref="JsonLines{T}(IEnumerable{string}, JsonLinesOptions, JsonTypeInfo{T})"/>.</summary>
    public static Source<T> JsonLines<T>(params string[] paths) => JsonLines<T>(paths, options: null);

    /// <summary>
    /// Reads files of one JSON value a line, each of them one split; blank lines are passed over. Replayable: a restart goes on at the byte where the
    /// checkpoint stood. The files must not change while the job has not finished: a change of their content is noticed and refused.
    /// </summary>
    /// <param name="paths">The files. The path as given names the split, so give the same paths when the job is started again.</param>
    /// <param name="options">Limits, serializer options, and what to do with a line that cannot be read.</param>
    /// <param name="type">The contract of a record, for example of a source-generated context, in place of the options' serializer.</param>
    /// <exception cref="Jobs.JobRefusedException">No file is given, or one twice.</exception>
    public static Source<T> JsonLines<T>(IEnumerable<string> paths, JsonLinesOptions? options = null, JsonTypeInfo<T>? type = null)
    {
        options ??= new JsonLinesOptions();
        type ??= JsonLinesDefaults.TypeOf<T>(options.Serializer ?? JsonLinesDefaults.Reading);
        return new JsonLinesSource<T>(FileSplits.Check(paths), options, type);
    }

    /// <summary>
    /// Writes one JSON value a line, exactly once. While the job runs, committed output stands in parts under <c>{path}.parts/</c>, whose names end in
    /// <c>.jsonl</c> and sort by attempt, checkpoint and subtask; a part is never seen half-written or before its checkpoint is published. When the input
    /// has ended, the parts become the one file <paramref name="path"/>, which appears whole. A record's line order within a subtask is kept.
    /// </summary>
    /// <param name="path">The final file. Its folder must be one that all silos see.</param>
    /// <param name="options">What to do with output that is there already; serializer options.</param>
    /// <param name="type">The contract of a record, for example of a source-generated context, in place of the options' serializer.</param>
    public static Sink<T> JsonLinesOutput<T>(string path, JsonLinesOutputOptions? options = null, JsonTypeInfo<T>? type = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        options ??= new JsonLinesOutputOptions();
        type ??= JsonLinesDefaults.TypeOf<T>(options.Serializer ?? JsonLinesDefaults.Writing);
        return new JsonLinesSink<T>(path, options, type);
    }
}
