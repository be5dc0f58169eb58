namespace OrleansStream.Checkpoints;

/// <summary>What all folders of checkpoint objects do alike: they are for their owner only, files are read in parts, and nobody waits for the disk on a thread of the pool.</summary>
internal static class OwnFiles
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Works on files on a thread of its own: a disk takes milliseconds, and the pool's few threads are the subtasks'.</summary>
    public static Task<T> OnThreadAsync<T>(Func<T> work, CancellationToken cancellation = default) =>
        Task.Factory.StartNew(work, cancellation, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    /// <inheritdoc cref="OnThreadAsync{T}(Func{T}, CancellationToken)"/>
    public static Task<bool> OnThreadAsync(Action work) => OnThreadAsync(() =>
    {
        work();
        return true;
    });

    /// <summary>Makes a folder, where there is none, with mode 0700 where there are modes.</summary>
    public static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows() || Directory.Exists(folder)) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, FolderMode);
    }

    /// <summary>Reads a part of a file, as far as there is any.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is not even its folder.</exception>
    public static byte[] Read(string path, long offset, int length)
    {
        using var file = File.OpenHandle(path, options: FileOptions.RandomAccess, share: FileShare.ReadWrite | FileShare.Delete);
        var size = Math.Min(length, Math.Max(0, RandomAccess.GetLength(file) - offset));
        if (size > Array.MaxLength) throw new IOException($"it has {size} bytes, too many to be read at once");
        var bytes = GC.AllocateUninitializedArray<byte>((int)size);
        var read = 0;
        while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), offset + read) is > 0 and var count) read += count;
        return read == bytes.Length ? bytes : bytes[..read];
    }
}
