using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream;

/// <summary>
/// Reads one file of JSON lines. An offset is the beginning of a line.
/// <para>Invariants: a line ends at a line feed or at the end of the file, nowhere else; what a line becomes depends on its bytes alone, never on where a block or a
/// reading began; the offset moves past a line only when its record, or its bad record, is in the output.</para>
/// </summary>
internal sealed class JsonLinesSplitReader<T> : SplitReader<T>
{
    /// <summary>How much one read takes in before it gives the turn back, should it find nothing but blank or endless lines.</summary>
    private const int BlocksPerRead = 16;

    private readonly SplitFile _file;
    private readonly JsonLinesOptions _options;
    private readonly JsonTypeInfo<T> _type;
    private readonly KeyValuePair<string, object?> _tag;
    private byte[] _buffer = new byte[FileSplits.BlockBytes];
    private int _begin;
    private int _end;
    private int _searched;
    private long _filePosition;
    private FileOffset _next;
    private string? _endless;

    public JsonLinesSplitReader(SplitFile file, FileOffset offset, JsonLinesOptions options, JsonTypeInfo<T> type)
    {
        _file = file;
        _options = options;
        _type = type;
        _tag = new("file", file.Name);
        _next = offset;
        _filePosition = offset.Position;
    }

    public override string Position => $"{_file.Name}, line {_next.Line}";

    public override ReadOnlyMemory<byte> SaveOffset() => _next.Encode();

    public override ReadStatus Read(SourceOutput<T> output)
    {
        var blocks = BlocksPerRead;
        while (!output.IsFull)
        {
            var found = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                Take(output, _searched + found, _searched + found + 1);
                continue;
            }

            _searched = _end;
            CutEndlessLine(output);
            if (_filePosition == _file.Length)
            {
                if (_begin < _end || _endless is not null) Take(output, _end, _end);
                return output.IsFull ? ReadStatus.More : ReadStatus.Ended;
            }

            if (blocks-- == 0) return ReadStatus.More;
            Fill();
        }

        return ReadStatus.More;
    }

    public override ValueTask DisposeAsync()
    {
        _file.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>Takes in the line that ends at <paramref name="end"/> and goes on at <paramref name="next"/>.</summary>
    private void Take(SourceOutput<T> output, int end, int next)
    {
        var line = _buffer.AsSpan(_begin, end - _begin);
        if (line.EndsWith("\r"u8)) line = line[..^1];
        if (_endless is { } beginning)
            Refuse(output, null, TooLong(), beginning, null);
        else if (line.Length > _options.MaxLineBytes)
            Refuse(output, null, TooLong(), Beginning(line), null);
        else if (line.ContainsAnyExcept((byte)' ', (byte)'\t'))
            Parse(output, line);
        _endless = null;
        _next = new FileOffset(_filePosition - (_end - next), _next.Line + 1);
        _begin = _searched = next;
    }

    private void Parse(SourceOutput<T> output, ReadOnlySpan<byte> line)
    {
        T? value;
        try
        {
            value = JsonSerializer.Deserialize(line, _type);
        }
        catch (JsonException e)
        {
            Refuse(output, e.BytePositionInLine is { } at ? (int)at + 1 : null, Reason(e), Encoding.UTF8.GetString(line), e);
            return;
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            Refuse(output, null, e.Message, Encoding.UTF8.GetString(line), e);
            return;
        }
        catch (Exception e) when (e is not StreamException)
        {
            throw new StreamException($"The reading of {typeof(T).Name} failed at {Position}: {e.GetType().Name}: {e.Message}", e);
        }

        if (value is null) Refuse(output, 1, $"the line is null where a {typeof(T).Name} is wanted", "null", null);
        else output.Add(value);
    }

    /// <summary>Lets go of a line that is beyond the limit already, but for its beginning; its end is looked for in the blocks that follow.</summary>
    private void CutEndlessLine(SourceOutput<T> output)
    {
        // One byte more than the limit may be the carriage return of a line that fits.
        if (_endless is null && _end - _begin <= _options.MaxLineBytes + 1) return;
        if (_endless is null)
        {
            _endless = Beginning(_buffer.AsSpan(_begin, _end - _begin));
            if (_options.BadRecords == BadRecords.Fail) Refuse(output, null, TooLong(), _endless, null);
        }

        _begin = _searched = _end;
    }

    private void Fill()
    {
        if (_begin > 0)
        {
            Buffer.BlockCopy(_buffer, _begin, _buffer, 0, _end - _begin);
            _end -= _begin;
            _searched -= _begin;
            _begin = 0;
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = _file.Read(_filePosition, _buffer.AsSpan(_end));
        _end += read;
        _filePosition += read;
    }

    private string Beginning(ReadOnlySpan<byte> line) => Encoding.UTF8.GetString(line[..Math.Min(_options.MaxLineBytes, BadRecord.TextLimitBytes)]);

    private string TooLong() => $"the line has more than {_options.MaxLineBytes} bytes; raise {nameof(JsonLinesOptions)}.{nameof(JsonLinesOptions.MaxLineBytes)} if that is right";

    private static string Reason(JsonException e)
    {
        // The serializer ends its messages with the position, which is told apart.
        var end = e.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end < 0) end = e.Message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        var message = (end < 0 ? e.Message : e.Message[..end]).TrimEnd(' ', '|');
        return string.IsNullOrEmpty(e.Path) || e.Path == "$" ? message : string.Create(CultureInfo.InvariantCulture, $"{e.Path}: {message}");
    }

    private void Refuse(SourceOutput<T> output, int? column, string reason, string text, Exception? cause)
    {
        var bad = new BadRecord(_file.Name, _next.Line, column, reason, text);
        if (_options.BadRecords == BadRecords.Fail) throw new BadRecordException(bad.Describe(), cause);
        FileMetrics.BadRecords.Add(1, _tag);
        output.AddSide(Files.Bad, bad);
    }
}
