using Microsoft.Win32.SafeHandles;
using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>A new file, for its owner only, that is written, flushed to the disk and given a name; what it was written under is removed with it.</summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private State _state = State.Open;

    public TemporaryFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _path = path;
        _file = new FileStream(path, options);
    }

    private SafeFileHandle Handle => _file.SafeFileHandle;

    /// <summary>Writes bytes at a place, over what may be there.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (FaultPoints.IsAt(FaultPoint.ObjectHalfWritten))
        {
            RandomAccess.Write(Handle, bytes[..(bytes.Length / 2)], offset);
            FaultPoints.Pass(FaultPoint.ObjectHalfWritten);
        }

        RandomAccess.Write(Handle, bytes, offset);
    }

    /// <summary>Flushes the file and gives it a name; false when the name is taken. May be repeated when it failed; nothing may be written afterwards.</summary>
    public bool TryLink(string name)
    {
        if (_state == State.Open)
        {
            _state = State.Lost;
            RandomAccess.FlushToDisk(Handle);
            _file.Dispose();
            _state = State.Flushed;
        }

        // After a flush that failed the system may believe that what it could not write is written: another flush would prove nothing.
        if (_state == State.Lost) throw new IOException("the disk did not take what was written before; it has to be written anew");
        if (_state == State.Linked) return false;
        FaultPoints.Pass(FaultPoint.ObjectUnnamed);
        var isLinked = DurableFiles.TryLink(_path, name);
        if (isLinked) _state = State.Linked;
        return isLinked;
    }

    /// <summary>Gives the file a name, over what may be there, and leaves it to the system when it is on the disk: for what need not last.</summary>
    public void MoveTo(string name)
    {
        _file.Dispose();
        File.Move(_path, name, overwrite: true);
    }

    public void Dispose()
    {
        _file.Dispose();
        File.Delete(_path);
    }

    private enum State
    {
        Open,

        /// <summary>Its bytes may not be on the disk, and never will be for certain.</summary>
        Lost,

        Flushed,
        Linked,
    }
}
