using System.Text;

namespace OrleansStream.State;

/// <summary>Writes an operator's own small state: little-endian numbers, length-prefixed strings and bytes.</summary>
internal sealed class BlobWriter
{
    private readonly MemoryStream _stream = new();
    private readonly BinaryWriter _writer;

    public BlobWriter() => _writer = new BinaryWriter(_stream, Encoding.UTF8);

    public void Write(int value) => _writer.Write(value);

    public void Write(long value) => _writer.Write(value);

    public void Write(bool value) => _writer.Write(value);

    public void Write(string value) => _writer.Write(value);

    public void Write(ReadOnlyMemory<byte> value)
    {
        _writer.Write(value.Length);
        _writer.Write(value.Span);
    }

    public byte[] ToArray()
    {
        _writer.Flush();
        return _stream.ToArray();
    }
}

/// <summary>Reads what a <see cref="BlobWriter"/> wrote.</summary>
internal sealed class BlobReader(byte[] bytes)
{
    private readonly BinaryReader _reader = new(new MemoryStream(bytes, writable: false), Encoding.UTF8);

    public int ReadInt32() => _reader.ReadInt32();

    public long ReadInt64() => _reader.ReadInt64();

    public bool ReadBoolean() => _reader.ReadBoolean();

    public string ReadString() => _reader.ReadString();

    public byte[] ReadBytes() => _reader.ReadBytes(_reader.ReadInt32());
}
