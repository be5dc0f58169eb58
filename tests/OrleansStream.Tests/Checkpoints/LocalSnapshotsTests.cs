using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>What is kept near is used, if it is the very segment; whatever is wrong with it, the store has the last word.</summary>
public sealed class LocalSnapshotsTests : IDisposable
{
    private const string Name = "jobs/a/attempts/00000001/segments/000000000001-sum-0-7";
    private readonly string _root = Directory.CreateTempSubdirectory("orleansstream-near-").FullName;
    private readonly InMemoryStore _store = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Peers _peers;
    private readonly Lines _log = new();
    private readonly byte[] _content = new byte[300_000];

    public LocalSnapshotsTests()
    {
        _peers = new Peers(_time);
        new Random(1).NextBytes(_content);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string KeptFile => Path.Combine(_root, "own", Name);

    private SegmentRef Reference => new(Name, _content.Length, ObjectFrame.Checksum(_content), new CheckpointId(new Attempt(1), 1));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_this_silo_wrote_is_read_without_the_store(bool inPieces)
    {
        var snapshots = Open();
        await WriteAsync(snapshots, inPieces);
        Assert.Equal(_content, _store.Read(Name));
        _store.Delete(Name);

        Assert.Equal(_content, await ReadAsync(snapshots, Reference));
        Assert.Equal(_content, await ReadAsync(Open(), Reference));
    }

    [Fact]
    public async Task Files_are_for_their_owner_only_and_no_temporary_one_is_left()
    {
        await WriteAsync(Open(), inPieces: true);
        Assert.Empty(Directory.GetFiles(Path.Combine(_root, "own", "tmp")));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeptFile));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(KeptFile)!));
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("cut")]
    [InlineData("grow")]
    [InlineData("gone")]
    public async Task A_file_that_is_not_what_the_manifest_names_goes_and_the_store_is_read(string damage)
    {
        var snapshots = Open();
        await WriteAsync(snapshots, inPieces: false);
        var bytes = File.ReadAllBytes(KeptFile);
        if (damage == "flip") bytes[200_000] ^= 1;
        if (damage == "gone") File.Delete(KeptFile);
        else File.WriteAllBytes(KeptFile, damage == "cut" ? bytes[..^1] : damage == "grow" ? [.. bytes, 0] : bytes);

        Assert.Same(_store, await snapshots.NearestAsync(Reference, isWhole: true, Cancellation));
        Assert.False(File.Exists(KeptFile));
        Assert.Equal(_content, await ReadAsync(snapshots, Reference));
    }

    [Fact]
    public async Task Another_segment_of_that_name_is_not_used()
    {
        var snapshots = Open();
        await WriteAsync(snapshots, inPieces: false);
        Assert.Same(_store, await snapshots.NearestAsync(Reference with { Checksum = new string('0', 32) }, isWhole: true, Cancellation));
    }

    [Fact]
    public async Task A_file_that_goes_away_while_it_is_read_is_read_from_the_store()
    {
        var snapshots = Open();
        await WriteAsync(snapshots, inPieces: false);
        var near = await snapshots.NearestAsync(Reference, isWhole: true, Cancellation);
        Assert.NotSame(_store, near);
        File.Delete(KeptFile);
        Assert.Equal(_content, (await near.ReadRangeAsync(Name, 0, _content.Length, Cancellation))!.Value);
    }

    [Fact]
    public async Task A_disk_that_fails_is_no_trouble_for_the_snapshot()
    {
        var snapshots = Open();
        Directory.Delete(Path.Combine(_root, "own"), recursive: true);
        await File.WriteAllTextAsync(Path.Combine(_root, "own"), "a file in the way", Cancellation);
        await WriteAsync(snapshots, inPieces: true);
        Assert.Equal(_content, await ReadAsync(snapshots, Reference));
        Assert.All(_log.All, static line => Assert.StartsWith($"Warning: The local snapshot '{Name}' cannot be used, and the checkpoint store is used alone: ", line, StringComparison.Ordinal));
        Assert.NotEmpty(_log.All);
    }

    [Fact]
    public async Task What_another_silo_keeps_is_fetched_once_and_kept()
    {
        _peers.Kept["b"] = _content;
        var snapshots = Open();
        Assert.Equal(_content, await ReadAsync(snapshots, Reference));
        Assert.True(_peers.Reads > 0);
        var reads = _peers.Reads;
        Assert.Equal(_content, await ReadAsync(snapshots, Reference));
        Assert.Equal(reads, _peers.Reads);
    }

    [Fact]
    public async Task A_segment_of_which_little_is_read_is_not_fetched_and_used_where_it_lies_here()
    {
        _peers.Kept["b"] = _content;
        var snapshots = Open();
        Assert.Same(_store, await snapshots.NearestAsync(Reference, isWhole: false, Cancellation));
        Assert.Equal(0, _peers.Reads);
        await WriteAsync(snapshots, inPieces: false);
        Assert.NotSame(_store, await snapshots.NearestAsync(Reference, isWhole: false, Cancellation));
    }

    [Fact]
    public async Task Subtasks_that_want_the_same_segment_at_once_share_one_fetching()
    {
        var asked = new TaskCompletionSource();
        (_peers.Kept["b"], _peers.Asked) = (_content, asked.Task);
        var snapshots = Open();
        var wanted = Enumerable.Range(0, 4).Select(_ => snapshots.NearestAsync(Reference, isWhole: true, Cancellation).AsTask()).ToList();
        asked.SetResult();

        Assert.All(await Task.WhenAll(wanted), near => Assert.NotSame(_store, near));
        Assert.Equal(1, _peers.Reads);
    }

    [Fact]
    public async Task Of_a_silo_that_has_another_one_that_fails_and_one_that_never_answers_none_is_believed()
    {
        _store.Overwrite(Name, _content);
        var changed = _content.ToArray();
        changed[5] ^= 1;
        _peers.Kept["changed"] = changed;
        _peers.Kept["longer"] = [.. _content, 0];
        _peers.Kept["failing"] = null;
        _peers.Silent = "silent";
        var snapshots = Open();
        var nearest = await ElapseAsync(snapshots.NearestAsync(Reference, isWhole: true, Cancellation).AsTask());

        Assert.Same(_store, nearest);
        Assert.Equal(_content, await ReadFromAsync(nearest));
        Assert.False(File.Exists(KeptFile));
        // Of others no trouble is this silo's: it is no warning.
        Assert.Equal(
            [
                $"Debug: Silo failing could not say whether it keeps '{Name}'; it is read elsewhere: no answer",
                $"Debug: Silo silent did not say in 1 s whether it keeps '{Name}'; it is read elsewhere",
            ],
            _log.All.Order());
    }

    [Theory]
    [InlineData(300_000)]
    [InlineData(1_000)]
    public async Task What_the_store_has_lost_is_fetched_whatever_its_length_from_a_silo_that_answers_late(int length)
    {
        var content = _content[..length];
        var reference = Reference with { LengthBytes = length, Checksum = ObjectFrame.Checksum(content) };
        (_peers.Kept["late"], _peers.Late) = (content, TimeSpan.FromSeconds(5));
        var snapshots = Open();
        Assert.Same(_store, await ElapseAsync(snapshots.NearestAsync(reference, isWhole: true, Cancellation).AsTask()));

        Assert.True(await ElapseAsync(snapshots.RescueAsync(reference, Cancellation).AsTask()));

        Assert.Equal(content, await ReadAsync(snapshots, reference));
    }

    [Fact]
    public async Task What_the_store_has_lost_and_no_silo_keeps_is_not_rescued()
    {
        (_peers.Kept["other"], _peers.Silent) = (new byte[_content.Length], "silent");
        Assert.False(await ElapseAsync(Open().RescueAsync(Reference, Cancellation).AsTask()));
        Assert.False(File.Exists(KeptFile));
    }

    [Fact]
    public async Task A_silo_that_seems_to_have_gone_is_asked_only_when_nobody_else_can_help()
    {
        var snapshots = Open();
        (_peers.Kept["other"], _peers.Gone) = (_content, "other");

        Assert.Same(_store, await snapshots.NearestAsync(Reference, isWhole: true, Cancellation));
        Assert.Equal(0, _peers.Reads);
        Assert.True(await snapshots.RescueAsync(Reference, Cancellation));
    }

    [Fact]
    public void The_oldest_go_when_there_are_too_many()
    {
        var folder = new SnapshotFolder(Path.Combine(_root, "own"), mostBytes: 2_000_000);
        for (var i = 0; i < 20; i++)
        {
            using var file = folder.Begin($"segment-{i:D2}");
            file.Write(0, _content);
            file.Keep();
            File.SetLastWriteTimeUtc(Path.Combine(_root, "own", $"segment-{i:D2}"), DateTime.UnixEpoch.AddDays(i));
        }

        var left = Directory.GetFiles(Path.Combine(_root, "own")).Select(Path.GetFileName).Order().ToList();
        Assert.InRange(left.Count, 4, 7);
        Assert.Equal("segment-19", left[^1]);
    }

    [Fact]
    public void A_folder_that_cannot_be_is_refused_with_its_path_and_what_to_do()
    {
        File.WriteAllText(Path.Combine(_root, "file"), "x");
        var error = Assert.Throws<StoreException>(() => new SnapshotFolder(Path.Combine(_root, "file", "own"), 1 << 30));
        Assert.Contains(Path.Combine(_root, "file", "own"), error.Message);
    }

    private LocalSnapshots Open() => new(_store, new SnapshotFolder(Path.Combine(_root, "own"), 1 << 30), _peers, _time, _log);

    private async Task WriteAsync(LocalSnapshots snapshots, bool inPieces)
    {
        if (!inPieces)
        {
            Assert.True(await snapshots.TryCreateAsync(Name, _content, Cancellation));
            return;
        }

        await using var writer = snapshots.BeginObject(Name);
        await writer.WriteAsync(0, _content.AsMemory(0, 100_000), Cancellation);
        await writer.WriteAsync(0, _content.AsMemory(0, 100_000), Cancellation);
        await writer.WriteAsync(1, _content.AsMemory(100_000), Cancellation);
        Assert.True(await writer.TryCreateAsync(Cancellation));
    }

    /// <summary>Lets time go by until a call has ended, so slowly that who is awake by then gets to act.</summary>
    private async Task<T> ElapseAsync<T>(Task<T> call)
    {
        while (!call.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(call, Task.Delay(50, Cancellation));
        }

        return await call;
    }

    private static async Task<byte[]> ReadAsync(LocalSnapshots snapshots, SegmentRef reference) => await ReadFromAsync(await snapshots.NearestAsync(reference, isWhole: true, Cancellation));

    private static async Task<byte[]> ReadFromAsync(ICheckpointStore store) => (await store.ReadRangeAsync(Name, 0, int.MaxValue / 2, Cancellation))!.Value.ToArray();

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }

    private sealed class Peers(TimeProvider time) : ISnapshotPeers
    {
        public string? Gone { get; set; }

        public bool SeemsGone(string silo) => silo == Gone;

        /// <summary>What each silo keeps; one that has null fails.</summary>
        public Dictionary<string, byte[]?> Kept { get; } = [];

        public string? Silent { get; set; }

        /// <summary>What silos wait for before they answer.</summary>
        public Task Asked { get; set; } = Task.CompletedTask;

        /// <summary>How long silos take to answer.</summary>
        public TimeSpan Late { get; set; }

        public int Reads { get; private set; }

        public IReadOnlyList<string> Others => [.. Kept.Keys, .. Silent is null ? Array.Empty<string>() : [Silent]];

        public async Task<long?> LengthAsync(string silo, string name)
        {
            if (silo == Silent) return await new TaskCompletionSource<long?>().Task;
            await Asked;
            await Task.Delay(Late, time);
            return Kept[silo] is { } bytes ? bytes.Length : throw new InvalidOperationException("no answer");
        }

        public Task<byte[]?> ReadAsync(string silo, string name, long offset, int length)
        {
            Reads++;
            var bytes = Kept[silo]!;
            return Task.FromResult<byte[]?>(bytes.AsSpan((int)offset, (int)Math.Min(length, bytes.Length - offset)).ToArray());
        }
    }
}
