using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream;

/// <summary>
/// Writes one subtask's share of a file of JSON lines.
/// <para>Invariants: the cut takes the open part away before the first await, so what is written later goes to another part. A part holds whole lines only. A handle
/// is given out when its part is whole, synchronized, and found by its staged name after a crash. After an error the writer refuses every call, so that no later cut
/// can pass for whole.</para>
/// </summary>
internal sealed class JsonLinesSinkWriter<T> : SinkWriter<T>
{
    /// <summary>When the lines written so far go from memory to the file.</summary>
    private const int FlushBytes = 128 * 1024;

    private readonly PartsFolder _folder;
    private readonly SinkContext _context;
    private readonly JsonTypeInfo<T> _type;
    private readonly LineBuffer _lines = new();
    private readonly Utf8JsonWriter _json;
    private FileStream? _part;
    private string _partName = "";
    private int _parts;
    private long _records;
    private StreamException? _broken;

    public JsonLinesSinkWriter(PartsFolder folder, SinkContext context, JsonTypeInfo<T> type)
    {
        _folder = folder;
        _context = context;
        _type = type;
        _json = new Utf8JsonWriter(_lines, new JsonWriterOptions { Encoder = type.Options.Encoder ?? JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = type.Options.MaxDepth });
    }

    public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps)
    {
        RefuseWhenBroken();
        foreach (ref readonly var value in values)
        {
            WriteLine(value);
            if (_lines.Length >= FlushBytes) FlushLines();
        }
    }

    public override async ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation)
    {
        RefuseWhenBroken();
        if (_lines.Length > 0) FlushLines();
        if (_part is not { } part) return null;
        var writingName = _partName;
        var name = new PartName(checkpoint, _context.Subtask, _context.Incarnation);
        var handle = new PartHandle(name, part.Position);
        _part = null;
        try
        {
            // A part that was cut off is staged even when nobody waits any more: the cancellation must not leave it open.
            await Task.Run(() => _folder.Stage(part, writingName, name), CancellationToken.None);
        }
        catch (Exception e)
        {
            throw CannotWrite(e);
        }

        return handle.ToString();
    }

    public override async ValueTask DisposeAsync()
    {
        if (_part is { } part)
        {
            // Nobody can name what was written since the last cut.
            _part = null;
            await part.DisposeAsync();
            File.Delete(_folder.In(_partName));
        }

        await _json.DisposeAsync();
        await base.DisposeAsync();
    }

    private void WriteLine(in T value)
    {
        var start = _lines.Length;
        try
        {
            JsonSerializer.Serialize(_json, value, _type);
            _json.Flush();
        }
        catch (Exception e)
        {
            _json.Reset();
            _lines.CutTo(start);
            throw _broken = new UnwritableRecordException(
                $"Record {_records + 1} of subtask {_context.Subtask} cannot be written to '{_folder.Path}' as JSON: {Reason(e)}", e);
        }

        _json.Reset();
        if (_lines.From(start).Contains((byte)'\n'))
        {
            _lines.CutTo(start);
            throw _broken = new UnwritableRecordException($"Record {_records + 1} of subtask {_context.Subtask} cannot be written to '{_folder.Path}': a converter of {typeof(T).Name} writes line breaks.");
        }

        _lines.AppendLineFeed();
        _records++;
    }

    private void FlushLines()
    {
        try
        {
            if (_part is null)
            {
                _partName = PartName.Writing(_context, ++_parts);
                _part = new FileStream(_folder.In(_partName), FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            }

            _part.Write(_lines.From(0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(e);
        }

        _lines.CutTo(0);
    }

    private void RefuseWhenBroken()
    {
        if (_broken is { } broken) throw new StreamException($"The writer of subtask {_context.Subtask} failed before and takes no more: {broken.Message}", broken);
    }

    private static string Reason(Exception e) =>
        e is JsonException { Path: { Length: > 1 } path } && !e.Message.Contains(path, StringComparison.Ordinal) ? $"{path}: {e.Message}" : e.Message;

    private StreamException CannotWrite(Exception e) => _broken = new StreamException($"The output '{_folder.Path}' could not be written: {e.Message}", e);

    /// <summary>The lines that are not in the file yet; one array, used again.</summary>
    private sealed class LineBuffer : IBufferWriter<byte>
    {
        private byte[] _bytes = new byte[FlushBytes + 16 * 1024];

        public int Length { get; private set; }

        public Span<byte> From(int start) => _bytes.AsSpan(start, Length - start);

        public void CutTo(int length) => Length = length;

        public void AppendLineFeed()
        {
            GetSpan(1)[0] = (byte)'\n';
            Length++;
        }

        public void Advance(int count) => Length += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            Grow(sizeHint);
            return _bytes.AsMemory(Length);
        }

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            Grow(sizeHint);
            return _bytes.AsSpan(Length);
        }

        private void Grow(int sizeHint)
        {
            if (_bytes.Length - Length < Math.Max(sizeHint, 1)) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + sizeHint));
        }
    }
}

/// <summary>A record that has no JSON form; it will have none in another attempt.</summary>
internal sealed class UnwritableRecordException(string message, Exception? inner = null) : StreamException(message, inner)
{
    public override bool IsPermanent => true;
}
