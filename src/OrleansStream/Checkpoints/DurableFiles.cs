using System.ComponentModel;
using System.Runtime.InteropServices;

namespace OrleansStream.Checkpoints;

/// <summary>
/// What .NET has no call for: giving a file a name unless the name is taken, and making names durable. Linux: <c>link</c> and <c>fsync</c> of the
/// folder. macOS: the same with <c>F_FULLFSYNC</c>, since its <c>fsync</c> leaves data in the drive's cache. Windows: a move without overwriting, atomic,
/// and as durable as the file system's journal makes names; folders cannot be flushed there.
/// </summary>
internal static partial class DurableFiles
{
    private const int FileExists = 17;
    private const int Interrupted = 4;
    private const int FullSync = 51;
    private const int WindowsFileExists = unchecked((int)0x80070050);
    private const int WindowsAlreadyExists = unchecked((int)0x800700B7);

    private static readonly int OpenReadOnlyCloseOnExec = OperatingSystem.IsLinux() ? 0x80000 : OperatingSystem.IsMacOS() ? 0x1000000 : 0;

    /// <summary>Gives a file a second name, or on Windows another one; false when the name is taken.</summary>
    public static bool TryLink(string file, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                File.Move(file, name, overwrite: false);
                return true;
            }
            catch (IOException e) when (e.HResult is WindowsFileExists or WindowsAlreadyExists)
            {
                return false;
            }
        }

        if (Link(file, name) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error == FileExists ? false : throw Failure(error, $"link to '{name}'");
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        int handle;
        while ((handle = Open(folder, OpenReadOnlyCloseOnExec)) < 0)
        {
            if (Marshal.GetLastPInvokeError() is var error and not Interrupted) throw Failure(error, $"open folder '{folder}'");
        }

        try
        {
            while ((OperatingSystem.IsMacOS() ? Control(handle, FullSync) : Sync(handle)) < 0)
            {
                if (Marshal.GetLastPInvokeError() is var error and not Interrupted) throw Failure(error, $"fsync folder '{folder}'");
            }
        }
        finally
        {
            _ = Close(handle);
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

    private static IOException Failure(int error, string what) => new($"{what}: {new Win32Exception(error).Message} (errno {error})", error);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int handle, int command);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
