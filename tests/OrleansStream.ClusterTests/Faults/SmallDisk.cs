using OrleansStream.ClusterTests.Packages;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A file system of its own in memory, that can be filled to its last byte and made read-only. Needs root.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int MostTries = 200;

    private readonly TestFolder _folder = new();
    private readonly List<string> _fillers = [];

    private SmallDisk() => Path = _folder["disk"];

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>Why there can be no such disk here; null when there can.</summary>
    public static string? Missing() => !OperatingSystem.IsLinux() ? "The disk is a tmpfs of Linux."
        : Environment.IsPrivilegedProcess ? null : "File systems are mounted by root: run the tests as root.";

    public static async Task<SmallDisk> MountAsync(int megabytes)
    {
        var disk = new SmallDisk();
        Directory.CreateDirectory(disk.Path);
        await MountAsync("-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "tmpfs", disk.Path);
        return disk;
    }

    /// <summary>Takes all room that is left.</summary>
    public void Fill()
    {
        var filler = System.IO.Path.Combine(Path, $"filler-{_fillers.Count}");
        _fillers.Add(filler);
        using var file = new FileStream(filler, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4096];
        try
        {
            while (true) file.Write(page);
        }
        catch (IOException full) when (full.HResult == 28)
        {
        }
    }

    /// <summary>Gives back all room that was taken.</summary>
    public void MakeRoom()
    {
        foreach (var filler in _fillers) File.Delete(filler);
        _fillers.Clear();
    }

    /// <summary>Makes it read-only, between two writes of others.</summary>
    public async Task MakeReadOnlyAsync()
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await MountAsync("-o", "remount,ro", Path);
                return;
            }
            catch (InvalidOperationException busy) when (tries < MostTries && busy.Message.Contains("busy", StringComparison.Ordinal))
            {
                // Somebody has a file open.
            }
        }
    }

    public Task MakeWritableAsync() => MountAsync("-o", "remount,rw", Path);

    public async ValueTask DisposeAsync()
    {
        await Shell.RunAsync("umount", "/", new Dictionary<string, string>(), "--lazy", Path);
        _folder.Dispose();
    }

    private static Task<string> MountAsync(params string[] arguments) => Shell.RunAsync("mount", "/", new Dictionary<string, string>(), arguments);
}
