using System.Runtime.InteropServices;
using OrleansStream.Jobs;

namespace OrleansStream;

/// <summary>
/// Makes folder changes durable. A created, renamed or deleted file survives the loss of power only when its folder was synchronized as well. Linux and macOS:
/// <c>fsync</c> of the folder. Windows has no such call; NTFS journals renames, and this does nothing there.
/// </summary>
internal static class DurableFiles
{
    private const int ReadOnly = 0;

    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0) throw Failed("open", folder);
        try
        {
            if (Sync(descriptor) != 0) throw Failed("fsync", folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Makes a folder and those above it, durably.</summary>
    public static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder)) return;
        var above = Path.GetDirectoryName(Path.GetFullPath(folder));
        if (above is not null) CreateFolder(above);
        Directory.CreateDirectory(folder);
        if (above is not null) SyncFolder(above);
    }

    private static StreamException Failed(string what, string folder) =>
        new($"The folder '{folder}' could not be made durable: {what}: {Marshal.GetLastPInvokeErrorMessage()}.");

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);
}
