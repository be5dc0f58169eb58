using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using OrleansStream.Checkpoints;

namespace OrleansStream.Tests.Checkpoints;

public sealed class LocalFolderStoreTests : CheckpointStoreConformance, IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("orleansstream-store-").FullName;

    private string Folder => Path.Combine(_root, "above", "checkpoints");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    protected override ICheckpointStore Open() => new LocalFolderStore(Folder);

    protected override ICheckpointStore OpenAgain() => new LocalFolderStore(Folder);

    [Fact]
    public async Task Files_and_folders_are_for_their_owner_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes.");
            return;
        }

        var store = Open();
        await store.TryCreateAsync("jobs/a/1", "x"u8.ToArray(), Cancellation);
        const UnixFileMode ForOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ForOwner, File.GetUnixFileMode(Path.Combine(Folder, "jobs", "a", "1")));
        foreach (var folder in new[] { Folder, Path.Combine(Folder, "tmp"), Path.Combine(Folder, "jobs"), Path.Combine(Folder, "jobs", "a") })
            Assert.Equal(ForOwner | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
    }

    [Fact]
    public async Task No_temporary_file_is_left_whether_the_name_was_free_or_taken()
    {
        var store = Open();
        await store.TryCreateAsync("a", "x"u8.ToArray(), Cancellation);
        await store.TryCreateAsync("a", "y"u8.ToArray(), Cancellation);
        Assert.Empty(Directory.GetFiles(Path.Combine(Folder, "tmp")));
    }

    [Fact]
    public async Task No_temporary_file_is_left_by_pieces_whether_they_became_an_object_or_not()
    {
        var store = Open();
        foreach (var create in new[] { true, true, false })
        {
            await using var writer = store.BeginObject("a");
            await writer.WriteAsync(0, "x"u8.ToArray(), Cancellation);
            Assert.Single(Directory.GetFiles(Path.Combine(Folder, "tmp")));
            if (create) await writer.TryCreateAsync(Cancellation);
        }

        Assert.Empty(Directory.GetFiles(Path.Combine(Folder, "tmp")));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder, "a")));
    }

    [Fact]
    public async Task A_piece_that_finds_the_disk_full_is_written_again_when_there_is_room()
    {
        using var disk = SmallDisk.TryMount(Path.Combine(_root, "disk"), "size=256k");
        if (disk is null) Assert.Skip("Needs the right to mount a tmpfs.");
        var store = new LocalFolderStore(Path.Combine(disk.Folder, "checkpoints"));
        await store.TryCreateAsync("other", new byte[160 * 1024], Cancellation);
        await using var writer = store.BeginObject("o");
        var (first, second) = (new byte[40_000], new byte[100_000]);
        Array.Fill(first, (byte)1);
        Array.Fill(second, (byte)2);
        await writer.WriteAsync(0, first, Cancellation);
        var full = await Assert.ThrowsAsync<StoreException>(async () => await writer.WriteAsync(1, second, Cancellation));
        Assert.Contains("Could not write checkpoint object 'o'", full.Message, StringComparison.Ordinal);
        await store.DeleteAsync("other", Cancellation);
        await writer.WriteAsync(1, second, Cancellation);
        Assert.True(await writer.TryCreateAsync(Cancellation));
        Assert.Equal(first.Concat(second), (await store.ReadAsync("o", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_writer_that_died_before_the_link_leaves_nothing_by_that_name_and_its_file_is_removed_when_old()
    {
        Open();
        var half = Path.Combine(Folder, "tmp", "77-1-1");
        await File.WriteAllTextAsync(half, "half an obj", Cancellation);
        var time = new FakeTimeProvider(File.GetLastWriteTimeUtc(half));

        time.Advance(TimeSpan.FromMinutes(59));
        var store = new LocalFolderStore(Folder, time);
        Assert.True(File.Exists(half), "It may be a living writer's.");
        Assert.Empty(await ListAsync(store, ""));

        time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotNull(new LocalFolderStore(Folder, time));
        Assert.False(File.Exists(half));
    }

    [Fact]
    public async Task A_writer_that_died_after_the_link_has_created_the_object()
    {
        Open();
        var temporary = Path.Combine(Folder, "tmp", "77-1-1");
        await File.WriteAllTextAsync(temporary, "whole", Cancellation);
        Assert.True(OrleansStream.Checkpoints.DurableFiles.TryLink(temporary, Path.Combine(Folder, "entry")));
        var store = OpenAgain();
        Assert.False(await store.TryCreateAsync("entry", "mine"u8.ToArray(), Cancellation));
        Assert.Equal("whole"u8.ToArray(), (await store.ReadAsync("entry", Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_file_where_the_folder_belongs_is_refused_by_name()
    {
        await File.WriteAllTextAsync(Path.Combine(_root, "file"), "", Cancellation);
        foreach (var folder in new[] { Path.Combine(_root, "file"), Path.Combine(_root, "file", "below") })
        {
            var refused = Assert.Throws<StoreException>(() => new LocalFolderStore(folder));
            Assert.Contains($"'{folder}' cannot be used", refused.Message, StringComparison.Ordinal);
            Assert.Contains("A file stands where a folder belongs", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_object_below_an_object_is_refused_with_object_and_folder()
    {
        var store = Open();
        await store.TryCreateAsync("a", default, Cancellation);
        var refused = await Assert.ThrowsAsync<StoreException>(async () => await store.TryCreateAsync("a/b", default, Cancellation));
        Assert.Contains("Could not create checkpoint object 'a/b'", refused.Message, StringComparison.Ordinal);
        Assert.Contains(Folder, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_in_an_objects_place_is_an_error_and_not_an_absent_object()
    {
        var store = Open();
        await store.TryCreateAsync("a/b", default, Cancellation);
        await Assert.ThrowsAsync<StoreException>(async () => await store.ReadAsync("a", Cancellation));
    }

    [Fact]
    public async Task A_store_that_vanished_is_an_error_and_not_an_empty_store()
    {
        var store = Open();
        await store.TryCreateAsync("a", default, Cancellation);
        Directory.Delete(Folder, recursive: true);
        var gone = await Assert.ThrowsAsync<StoreException>(async () => await store.ReadAsync("a", Cancellation));
        Assert.Contains("is gone", gone.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreException>(async () => await store.TryCreateAsync("a", default, Cancellation));
        await Assert.ThrowsAsync<StoreException>(async () => await ListAsync(store, "none/"));
    }

    [Fact]
    public async Task A_folder_removed_below_the_store_is_made_again()
    {
        var store = Open();
        await store.TryCreateAsync("jobs/a/1", default, Cancellation);
        Directory.Delete(Path.Combine(Folder, "jobs"), recursive: true);
        await Assert.ThrowsAsync<StoreException>(async () => await store.TryCreateAsync("jobs/a/2", default, Cancellation));
        Assert.True(await store.TryCreateAsync("jobs/a/2", default, Cancellation));
    }

    [Fact]
    public async Task The_stores_own_folder_is_no_place_for_objects() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await Open().TryCreateAsync("tmp/a", default, Cancellation));

    [Fact]
    public async Task A_full_disk_is_told_and_creates_nothing()
    {
        using var disk = SmallDisk.TryMount(Path.Combine(_root, "disk"), "size=64k");
        if (disk is null) Assert.Skip("Needs the right to mount a tmpfs.");
        var store = new LocalFolderStore(Path.Combine(disk.Folder, "checkpoints"));
        var full = await Assert.ThrowsAsync<StoreException>(async () => await store.TryCreateAsync("jobs/a/1", new byte[1 << 20], Cancellation));
        Assert.Contains("'jobs/a/1'", full.Message, StringComparison.Ordinal);
        Assert.Contains("free some space", full.Message, StringComparison.Ordinal);
        Assert.Null(await store.ReadAsync("jobs/a/1", Cancellation));
        Assert.True(await store.TryCreateAsync("jobs/a/1", new byte[16], Cancellation));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_refused_with_what_to_do()
    {
        using var disk = SmallDisk.TryMount(Path.Combine(_root, "disk"), "size=64k,ro");
        if (disk is null) Assert.Skip("Needs the right to mount a tmpfs.");
        var refused = Assert.Throws<StoreException>(() => new LocalFolderStore(Path.Combine(disk.Folder, "checkpoints")));
        Assert.Contains("read-only: mount it writable", refused.Message, StringComparison.Ordinal);
    }

    private sealed class SmallDisk(string folder) : IDisposable
    {
        public string Folder => folder;

        public static SmallDisk? TryMount(string folder, string options)
        {
            if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return null;
            Directory.CreateDirectory(folder);
            return Execute("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder) ? new SmallDisk(folder) : null;
        }

        public void Dispose() => Execute("umount", folder);

        private static bool Execute(string command, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
    }
}
