using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream;

/// <summary>
/// An open file of a split, read in blocks at positions.
/// <para>Invariants: from the beginning of the reading on, every byte goes into the hash of the content as it is given out (reading never begins behind a gap; bytes
/// that are read again behind a bad row are hashed once); the file's length is the discovered one at each block; the last block is given out only when the hash of
/// the whole content is the discovered one. So a file that was cut, extended or rewritten after its discovery ends the read with an error before the split
/// counts as read.</para>
/// </summary>
internal sealed class SplitFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly string _fingerprint;
    private readonly XxHash128 _hash = new();
    private long _hashed;
    private bool _verified;

    private SplitFile(SafeFileHandle handle, SourceSplit split)
    {
        _handle = handle;
        _fingerprint = split.Fingerprint;
        Name = split.Name;
        Length = FileSplits.Length(split);
    }

    /// <summary>The path as given.</summary>
    public string Name { get; }

    /// <summary>The length at discovery.</summary>
    public long Length { get; }

    public static SplitFile Open(SourceSplit split, FileAccessRules rules) => new(FileSplits.OpenToRead(split.Name, rules), split);

    /// <summary>Reads a block; 0 at the end of the file only.</summary>
    /// <param name="position">Where the block begins, at most where reading has been before.</param>
    /// <param name="block">Takes the bytes.</param>
    public int Read(long position, Span<byte> block)
    {
        if (position > _hashed) throw new InvalidOperationException($"Byte {position} of '{Name}' is behind a gap: bytes from {_hashed} were not read.");
        int read;
        try
        {
            VerifyLength();
            read = RandomAccess.Read(_handle, block[..(int)Math.Min(block.Length, Length - position)], position);
            if (read == 0 && position < Length) VerifyLength();
        }
        catch (IOException e)
        {
            throw new StreamException($"The input file '{Name}' could not be read at byte {position}: {e.Message}", e);
        }

        if (read == 0 && position < Length) throw Changed($"it ends at byte {position}");
        if (position + read > _hashed)
        {
            _hash.Append(block[(int)(_hashed - position)..read]);
            _hashed = position + read;
        }

        if (_hashed == Length && !_verified) VerifyHash();
        return read;
    }

    /// <summary>Begins the reading at a place: forgets what was read to find it, and hashes what stands before it.</summary>
    public void BeginAt(long position, CancellationToken cancellation)
    {
        _hash.Reset();
        _hashed = 0;
        _verified = false;
        var block = new byte[FileSplits.BlockBytes];
        while (_hashed < position)
        {
            cancellation.ThrowIfCancellationRequested();
            Read(_hashed, block.AsSpan(0, (int)Math.Min(block.Length, position - _hashed)));
        }
    }

    public void Dispose() => _handle.Dispose();

    private void VerifyLength()
    {
        var length = RandomAccess.GetLength(_handle);
        if (length != Length) throw Changed($"it has {length} bytes");
    }

    private void VerifyHash()
    {
        VerifyLength();
        if (FileSplits.Fingerprint(Length, _hash.GetCurrentHashAsUInt128()) != _fingerprint) throw Changed("its content is another");
        _verified = true;
    }

    private StreamException Changed(string what) =>
        new($"The input file '{Name}' has changed since the job began to read it: {what}, it had {Length} bytes (fingerprint {_fingerprint}). " +
            "Restore the file, or start over with the new one.");
}
