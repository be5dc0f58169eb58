using System.Text;
using CsvHelper;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream;

/// <summary>
/// Reads one CSV file. An offset is the end of a row, before its line break: a reader opened there meets the rest of that line as an empty one and passes over it.
/// <para>Invariant: what a row becomes depends on its bytes alone, never on where a block or a reading began. So a row's size is checked on its own bytes, and
/// after a row that never ends or is too long, reading goes on behind its first line, found from the end of the row before it.</para>
/// </summary>
internal sealed class CsvSplitReader<T> : SplitReader<T>
{
    private readonly SplitFile _file;
    private readonly Func<CsvRow, T> _read;
    private readonly CsvOptions _options;
    private readonly CsvRow _row;
    private readonly CsvReaderOptions _readerOptions;
    private readonly KeyValuePair<string, object?> _tag;
    private CsvReader _csv = null!;
    private FileOffset _opened;
    private FileOffset _next;
    private CsvMalformedReason? _malformed;

    public CsvSplitReader(SplitFile file, CsvHeader header, FileOffset offset, Func<CsvRow, T> read, CsvOptions options)
    {
        _file = file;
        _read = read;
        _options = options;
        _row = new CsvRow(file.Name, header.Columns, header.Indexes);
        _readerOptions = CsvHeader.ReaderOptions(options, m => _malformed ??= m.Reason);
        _tag = new("file", file.Name);
        OpenAt(offset);
    }

    public override string Position => $"{_file.Name}, line {_next.Line}";

    public override ReadOnlyMemory<byte> SaveOffset() => _next.Encode();

    public override ReadStatus Read(SourceOutput<T> output)
    {
        while (!output.IsFull)
        {
            if (!TryMove(out var tooLong)) return ReadStatus.Ended;
            if (tooLong || _malformed == CsvMalformedReason.UnterminatedQuote || _csv.RawRecord.Length > _options.MaxRowBytes)
            {
                var isTooLong = tooLong || _csv.RawRecord.Length > _options.MaxRowBytes;
                PassOverLine(output, isTooLong ? CsvHeader.TooLong(_options) : CsvHeader.Describe(CsvMalformedReason.UnterminatedQuote));
                continue;
            }

            var raw = _csv.RawRecord;
            var line = _opened.Line + _csv.LineNumber - 1;
            var end = new FileOffset(_opened.Position + _csv.ByteOffset + raw.Length, line + LineBreaks.Count(raw));
            if (_malformed is { } reason)
                Refuse(output, new BadRecord(_file.Name, line, null, CsvHeader.Describe(reason), Encoding.UTF8.GetString(raw)), null);
            else if (_csv.FieldCount != _row.Columns.Count)
                Refuse(output, new BadRecord(_file.Name, line, null, $"the row has {_csv.FieldCount} fields, the header has {_row.Columns.Count}", Encoding.UTF8.GetString(raw)), null);
            else
                Map(output, line);
            _next = end;
        }

        return ReadStatus.More;
    }

    public override ValueTask DisposeAsync()
    {
        _csv.Dispose();
        _file.Dispose();
        return base.DisposeAsync();
    }

    private void OpenAt(FileOffset offset)
    {
        _csv?.Dispose();
        _opened = _next = offset;
        _csv = CsvReader.Create(new SplitFileStream(_file, offset.Position), _readerOptions, leaveOpen: false);
    }

    private bool TryMove(out bool tooLong)
    {
        _malformed = null;
        tooLong = false;
        try
        {
            return _csv.Read();
        }
        catch (CsvFormatException)
        {
            // With malformed rows repaired this is only ever a row beyond the limit.
            return tooLong = true;
        }
    }

    private void Map(SourceOutput<T> output, long line)
    {
        _row.MoveTo(_csv, line);
        T value;
        try
        {
            value = _read(_row);
        }
        catch (FieldException e)
        {
            Refuse(output, new BadRecord(_file.Name, line, e.Column, e.Message, Encoding.UTF8.GetString(_csv.RawRecord)), null);
            return;
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            Refuse(output, new BadRecord(_file.Name, line, null, e.Message, Encoding.UTF8.GetString(_csv.RawRecord)), e);
            return;
        }
        catch (Exception e) when (e is not StreamException)
        {
            throw new StreamException($"The mapping of rows failed at {_file.Name}, line {line}: {e.GetType().Name}: {e.Message}", e);
        }

        output.Add(value);
    }

    private void PassOverLine(SourceOutput<T> output, string reason)
    {
        var found = FileLine.Read(_file, _next, _options.MaxRowBytes);
        if (found.End.Position <= _next.Position) throw new InvalidOperationException($"No line to pass over at byte {_next.Position} of '{_file.Name}'.");
        Refuse(output, new BadRecord(_file.Name, found.Line, null, reason, found.Text), null);
        OpenAt(found.End);
    }

    private void Refuse(SourceOutput<T> output, BadRecord bad, Exception? cause)
    {
        if (_options.BadRecords == BadRecords.Fail) throw new BadRecordException(bad.Describe(), cause);
        FileMetrics.BadRecords.Add(1, _tag);
        output.AddSide(Files.Bad, bad);
    }
}
