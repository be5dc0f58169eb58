using System.Text;
using CsvHelper;
using OrleansStream.Jobs;

namespace OrleansStream;

/// <summary>The first row of a CSV file.</summary>
/// <param name="Columns">The column names in order.</param>
/// <param name="Indexes">Where each column stands.</param>
/// <param name="End">Where the header row ends, before its line break.</param>
internal sealed record CsvHeader(string[] Columns, Dictionary<string, int> Indexes, FileOffset End)
{
    public static CsvHeader Read(SplitFile file, CsvOptions options)
    {
        var start = new byte[3];
        var position = FileSplits.ByteOrderMark(start.AsSpan(0, file.Read(0, start)));
        CsvMalformedRecord? malformed = null;
        using var csv = CsvReader.Create(new SplitFileStream(file, position), ReaderOptions(options, m => malformed = m), leaveOpen: false);
        if (!Next(csv, file, options)) throw new JobRefusedException($"The file '{file.Name}' is empty: a CSV file begins with a header row of column names.");
        if (malformed is not null || csv.RawRecord.Length > options.MaxRowBytes)
            throw new JobRefusedException($"The header of '{file.Name}' is not a row of column names: {(malformed is null ? TooLong(options) : Describe(malformed.Value.Reason))}.");
        var columns = new string[csv.FieldCount];
        var indexes = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = Name(csv, i, file);
            if (!indexes.TryAdd(columns[i], i))
                throw new JobRefusedException($"The header of '{file.Name}' names the column '{columns[i]}' twice (fields {indexes[columns[i]] + 1} and {i + 1}): rename one.");
        }

        var line = csv.LineNumber + LineBreaks.Count(csv.RawRecord);
        return new CsvHeader(columns, indexes, new FileOffset(position + csv.ByteOffset + csv.RawRecord.Length, line));
    }

    /// <summary>How rows are read: malformed ones are told and repaired, so that reading can go on behind them.</summary>
    public static CsvReaderOptions ReaderOptions(CsvOptions options, Action<CsvMalformedRecord> onMalformed) => new()
    {
        Separator = options.Separator,
        HasHeader = false,
        DetectSeparatorHint = false,
        TrackLineNumbers = true,
        Encoding = Encoding.UTF8,
        BufferSize = FileSplits.BlockBytes,
        MaxRecordSize = options.MaxRowBytes + 2,
        OnMalformedRecord = onMalformed,
    };

    public static string Describe(CsvMalformedReason reason) => reason switch
    {
        CsvMalformedReason.StrayQuote => "a quote stands inside a field that is not quoted (quote the field and double the quote)",
        CsvMalformedReason.TextAfterClosingQuote => "text follows the closing quote of a field (double a quote that belongs to the text)",
        CsvMalformedReason.UnterminatedQuote => "a quoted field is never closed",
        _ => $"the row is malformed ({reason})",
    };

    public static string TooLong(CsvOptions options) =>
        $"the row has more than {options.MaxRowBytes} bytes; a quote may be left open, else raise {nameof(CsvOptions)}.{nameof(CsvOptions.MaxRowBytes)}";

    private static string Name(CsvReader csv, int index, SplitFile file)
    {
        try
        {
            return CsvRow.StrictUtf8.GetString(csv.GetSpan(index));
        }
        catch (DecoderFallbackException e)
        {
            throw new JobRefusedException($"The header of '{file.Name}' is not UTF-8 text (field {index + 1}): convert the file to UTF-8.", e);
        }
    }

    private static bool Next(CsvReader csv, SplitFile file, CsvOptions options)
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException e)
        {
            throw new JobRefusedException($"The header of '{file.Name}' is not a row of column names: {TooLong(options)}.", e);
        }
    }
}

/// <summary>Line breaks as CSV has them: LF, CR LF, and CR alone.</summary>
internal static class LineBreaks
{
    public static int Count(ReadOnlySpan<byte> text)
    {
        var count = 0;
        for (var at = text.IndexOfAny((byte)'\r', (byte)'\n'); at >= 0; at = text.IndexOfAny((byte)'\r', (byte)'\n'))
        {
            count++;
            text = text[(at + LengthAt(text, at))..];
        }

        return count;
    }

    /// <summary>How many bytes the line break at a place takes.</summary>
    public static int LengthAt(ReadOnlySpan<byte> text, int at) => text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? 2 : 1;
}
