using OrleansStream.Checkpoints;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>Encoders on other threads beside a busy owner: what they write is what was there at the freeze.</summary>
public sealed class ConcurrentEncodingTests
{
    private const int MaxParallelism = 16;
    private const int Keys = 3000;
    private const int PieceBytes = 16 * 1024;

    private static readonly ValueState<Average> Pair = new("pair");
    private static readonly ListState<long> List = new("list");
    private static readonly MapState<int, long> Map = new("map");

    private readonly SubtaskState _state = new(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
    private readonly KeyedStateTable<int> _table;
    private readonly WindowTable<int, Average> _windows;

    public ConcurrentEncodingTests() => (_table, _windows) = Open(_state);

    [Fact]
    public async Task Every_encoding_beside_a_busy_owner_holds_exactly_what_was_there_at_its_freeze()
    {
        var random = new Random(11);
        var store = new SegmentStore();
        var chains = new Dictionary<long, List<SegmentRef>>();
        var encoding = new Queue<(long Number, FrozenSubtask Frozen, long Round, Task<WholeSegment> Task)>();
        long round = 0;
        for (var number = 1L; number <= 40; number++)
        {
            Work(random, ref round, 2 * Keys);
            round++;
            for (var key = 0; key < Keys; key++) Touch(key, round);
            var frozen = _state.Freeze(StateSetup.Checkpoint(number), random.Next(4) == 0, []);
            encoding.Enqueue((number, frozen, round, Task.Run(() => frozen.Encode(PieceBytes))));

            // The owner goes on at once, over every page, while one or two encoders read.
            while (encoding.Count > 1 || (encoding.Count == 1 && !encoding.Peek().Task.IsCompleted && random.Next(2) == 0))
            {
                Work(random, ref round, Keys);
                if (!encoding.Peek().Task.IsCompleted) continue;
                var (done, view, atFreeze, task) = encoding.Dequeue();
                var segment = store.Put($"{done}", await task);
                chains[done] = view.Base is { } b ? [.. chains[b.Number], segment] : [segment];
                _state.Published(StateSetup.Checkpoint(done));
                await CheckAsync(store, chains[done], atFreeze);
            }
        }
    }

    [Fact]
    public async Task A_release_in_the_middle_ends_the_encoding_and_the_owner_gets_its_pages_back()
    {
        for (var key = 0; key < Keys; key++) Touch(key, 1);
        for (var i = 1; i <= 20; i++)
        {
            var frozen = _state.Freeze(StateSetup.Checkpoint(i), true, []);
            var encoding = Task.Run(() => frozen.Encode(PieceBytes));
            frozen.Release();
            try
            {
                var segment = await encoding;
                Assert.True(segment.Full);
            }
            catch (OperationCanceledException)
            {
                Assert.Throws<OperationCanceledException>(() => frozen.EncodeNext());
            }
        }
    }

    [Fact]
    public void A_snapshot_released_before_it_is_encoded_is_not_encoded()
    {
        var frozen = _state.Freeze(StateSetup.Checkpoint(1), true, []);
        frozen.Release();
        frozen.Release();
        Assert.Throws<OperationCanceledException>(() => frozen.EncodeNext());
    }

    [Fact]
    public void A_release_between_two_pieces_hands_all_pages_back_at_once_and_leaves_the_piece_alone()
    {
        for (var key = 0; key < Keys; key++) Touch(key, 1);
        var frozen = _state.Freeze(StateSetup.Checkpoint(1), true, []);
        frozen.PieceBytes = PieceBytes;
        var piece = frozen.EncodeNext();
        Assert.Null(piece.Whole);
        var before = piece.Content.ToArray();
        frozen.Release();
        for (var key = 0; key < Keys; key++) Touch(key, 2);
        Assert.Equal(0, _table.Values(Pair).CopiedPages);
        Assert.Throws<OperationCanceledException>(() => frozen.EncodeNext());
        Assert.Equal(before, piece.Content.ToArray());
        frozen.Dispose();
        frozen.Dispose();
    }

    [Fact]
    public void Pages_are_handed_back_piece_by_piece()
    {
        for (var key = 0; key < Keys; key++) Touch(key, 1);
        using var frozen = _state.Freeze(StateSetup.Checkpoint(1), true, []);
        frozen.PieceBytes = PieceBytes;
        Assert.Null(frozen.EncodeNext().Whole);
        for (var key = 0; key < Keys; key++) Touch(key, 2);

        // The first piece holds the values of some pages, which are copied no more.
        Assert.InRange(_table.Values(Pair).CopiedPages, 1, Keys / PagedColumn<long>.PageCells);
    }

    [Fact]
    public void A_release_during_the_encoding_hands_pages_back_only_when_the_encoder_has_stopped()
    {
        var part = new PartReleasedWhileEncoding();
        var header = new SegmentHeader(StateSetup.Checkpoint(1), null, StateSetup.AllGroups(MaxParallelism), MaxParallelism, [], []);
        part.Frozen = new FrozenSubtask(header, [part], [0], StateSetup.Serializers);
        Assert.Throws<OperationCanceledException>(() => part.Frozen.EncodeNext());
        Assert.False(part.WasReleasedInside);
        Assert.True(part.IsReleased);
    }

    private sealed class PartReleasedWhileEncoding : IFrozenPart
    {
        public FrozenSubtask Frozen { get; set; } = null!;

        public bool WasReleasedInside { get; private set; }

        public bool IsReleased { get; private set; }

        public long LineOf(int shape) => 0;

        public long RoomOf(int shape) => 0;

        public IEnumerable<SegmentBlocks> Encode(SegmentBlocks blocks, int firstDeclaration)
        {
            Frozen.Release();
            WasReleasedInside = IsReleased;
            blocks.ThrowIfReleased();
            yield return blocks;
        }

        public void Release() => IsReleased = true;
    }

    private static (KeyedStateTable<int>, WindowTable<int, Average>) Open(SubtaskState state)
    {
        var table = new KeyedStateTable<int>("score", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [Pair, List, Map], StateSetup.Serializers);
        var windows = new WindowTable<int, Average>("average", StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
        state.Register(table);
        state.Register(windows);
        return (table, windows);
    }

    // Everything of a key carries one round, so a torn or newer cell shows.
    private void Touch(int key, long round)
    {
        var slot = _table.Slot(key);
        _table.Values(Pair).GetRefForWrite(slot) = new Average(round, round);
        if (_table.Lists(List).Count(slot) > 20) _table.Lists(List).Clear(slot);
        _table.Lists(List).Add(slot, round);
        _table.Maps(Map).Set(slot, key % 3, round);
        _windows.GetRefForWrite(_windows.Window(key, 0)) = new Average(round, round);
    }

    private void Work(Random random, ref long round, int steps)
    {
        round++;
        for (var i = 0; i < steps; i++)
        {
            var key = random.Next(Keys);
            if (random.Next(20) == 0)
            {
                var slot = _table.Slot(key);
                _table.Values(Pair).Clear(slot);
                _table.Lists(List).Clear(slot);
                _table.Maps(Map).Clear(slot);
                _table.ReleaseIfEmpty(slot);
                _windows.Remove(_windows.Window(key, 0));
            }
            else
            {
                Touch(key, round);
            }
        }
    }

    private static async Task CheckAsync(SegmentStore store, List<SegmentRef> segments, long round)
    {
        var state = new SubtaskState(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
        var (table, windows) = Open(state);
        await state.RestoreAsync(store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), segments)], TestContext.Current.CancellationToken);
        Assert.Equal(Keys, table.KeyCount);
        Assert.Equal(Keys, windows.Count);
        for (var key = 0; key < Keys; key++)
        {
            var slot = table.Slot(key);
            Assert.Equal(new Average(round, round), table.Values(Pair).Get(slot));
            Assert.Equal(round, table.Lists(List).Items(slot)[^1]);
            Assert.True(table.Maps(Map).TryGet(slot, key % 3, out var value));
            Assert.Equal(round, value);
            Assert.Equal(1, table.Maps(Map).Count(slot));
            Assert.Equal(new Average(round, round), windows.Read(windows.Window(key, 0)));
        }
    }
}
