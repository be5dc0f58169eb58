using OrleansStream.Checkpoints;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Tests.State;

public sealed class WindowTableTests
{
    private readonly WindowTable<string, long> _table = new("sum", StateSetup.AllGroups(16), 16, StateSetup.Serializers);
    private readonly SubtaskState _state = new(StateSetup.AllGroups(16), 16, StateSetup.Serializers);

    public WindowTableTests() => _state.Register(_table);

    [Fact]
    public void A_window_is_opened_once_and_found_again()
    {
        _table.GetRefForWrite(Open("a", 10, true)) += 5;
        _table.GetRefForWrite(Open("a", 10, false)) += 5;
        _table.GetRefForWrite(Open("a", 20, true)) += 1;
        _table.GetRefForWrite(Open("b", 10, true)) += 2;
        Assert.Equal(10, _table.Read(Open("a", 10, false)));
        Assert.Equal(3, _table.Count);
        _table.Remove(Open("a", 10, false));
        Assert.Equal(0, _table.Read(Open("a", 10, true)));
    }

    [Fact]
    public async Task Windows_below_the_purge_line_are_dropped_on_restore_without_tombstones()
    {
        for (var i = 0; i < 1000; i++) _table.GetRefForWrite(Open($"k{i}", 10, true)) = i;
        var store = new SegmentStore();
        var full = store.Put("full", _state.Freeze(StateSetup.Checkpoint(1), true, []).Encode());
        _state.Published(StateSetup.Checkpoint(1));

        _table.PurgedBefore = 20;
        for (var slot = 0; slot < 1000; slot++) _table.Remove(slot);
        _table.GetRefForWrite(Open("late", 30, true)) = 7;
        var delta = store.Put("delta", _state.Freeze(StateSetup.Checkpoint(2), false, []).Encode());
        Assert.InRange(delta.LengthBytes, 1, 600);
        Assert.Equal(0, _table.LoggedRemovals);

        var (restored, table) = New(new KeyGroupRange(0, 16));
        await restored.RestoreAsync(store, [new SegmentChain(0, new KeyGroupRange(0, 16), [full, delta])], TestContext.Current.CancellationToken);
        Assert.Equal(1, table.Count);
        Assert.Equal(20, table.PurgedBefore);
        Assert.True(table.TryGet("late", KeyCodec<string>.Default.Hash("late"), 30, out var late));
        Assert.Equal(7, table.Read(late));
    }

    [Fact]
    public async Task Windows_that_the_end_of_time_has_purged_stay_gone_through_every_later_checkpoint()
    {
        _table.GetRefForWrite(Open("a", 10, true)) = 7;
        var store = new SegmentStore();
        var segments = new List<SegmentRef> { store.Put("full", _state.Freeze(StateSetup.Checkpoint(1), true, []).Encode()) };
        _state.Published(StateSetup.Checkpoint(1));
        _table.PurgedBefore = EventTime.End;
        _table.Remove(Open("a", 10, false));
        segments.Add(store.Put("final", _state.Freeze(StateSetup.Checkpoint(2), false, []).Encode()));

        // An attempt that begins from the final checkpoint may take others before it finishes.
        for (var checkpoint = 3; checkpoint < 6; checkpoint++)
        {
            var (restored, table) = New(new KeyGroupRange(0, 16));
            await restored.RestoreAsync(store, [new SegmentChain(0, new KeyGroupRange(0, 16), segments)], TestContext.Current.CancellationToken);
            Assert.Equal((0, EventTime.End), (table.Count, table.PurgedBefore));
            segments.Add(store.Put($"{checkpoint}", restored.Freeze(StateSetup.Checkpoint(checkpoint), false, []).Encode()));
        }
    }

    [Fact]
    public void A_removal_above_the_line_is_kept_until_a_checkpoint_without_the_window_is_published()
    {
        Open("a", 10, true);
        _state.Freeze(StateSetup.Checkpoint(1), true, []).Release();
        _table.Remove(Open("a", 10, false));
        _table.Remove(Open("b", 10, true));
        _state.Published(StateSetup.Checkpoint(1));
        Assert.Equal(1, _table.LoggedRemovals);
        _state.Freeze(StateSetup.Checkpoint(2), false, []).Release();
        _state.Published(StateSetup.Checkpoint(2));
        Assert.Equal(0, _table.LoggedRemovals);
    }

    [Theory]
    [InlineData(20, 0)]
    [InlineData(10, 20_000)]
    public async Task All_windows_of_a_start_go_in_several_goes_and_leave_a_trace_only_above_the_purge_line(long line, int logged)
    {
        for (var i = 0; i < 20_000; i++) Open($"k{i}", 10, true);
        _table.Remove(Open("k5", 10, false));
        Open("k5", 10, true);
        Open("other", 20, true);
        var store = new SegmentStore();
        var full = store.Put("full", _state.Freeze(StateSetup.Checkpoint(1), true, []).Encode());
        _state.Published(StateSetup.Checkpoint(1));

        _table.PurgedBefore = line;
        var goes = 1;
        while (!_table.RemoveSome(10)) goes++;
        Assert.InRange(goes, 2, 10);
        Assert.Equal(1, _table.Count);
        Assert.Equal([20], StartsOf(_table));
        Assert.Equal(0, _table.RunsOf(10).Length);
        Assert.Equal(1, _table.RunsOf(20).Length);
        Assert.Equal(logged, _table.LoggedRemovals);
        Assert.Equal(1, Enumerable.Range(0, _table.SlotLimit).Count(_table.IsLive));
        var before = _table.SlotLimit;
        for (var i = 0; i < 20_000; i++) Open($"k{i}", 30, true);
        Assert.Equal(before, _table.SlotLimit);

        var delta = store.Put("delta", _state.Freeze(StateSetup.Checkpoint(2), false, []).Encode());
        var (restored, table) = New(new KeyGroupRange(0, 16));
        await restored.RestoreAsync(store, [new SegmentChain(0, new KeyGroupRange(0, 16), [full, delta])], TestContext.Current.CancellationToken);
        Assert.Equal(20_001, table.Count);
        Assert.Equal([20, 30], StartsOf(table));
        var runs = table.RunsOf(30).ToArray();
        Assert.Equal(20_000, runs.Sum(run => Enumerable.Range(run, SlotRuns.Length).Count(slot => table.IsLive(slot) && table.StartOf(slot) == 30)));
    }

    private static long[] StartsOf(WindowTable<string, long> table) => [.. Enumerable.Range(0, table.SlotLimit).Where(table.IsLive).Select(table.StartOf).Distinct().Order()];

    [Fact]
    public async Task After_a_merge_the_purge_line_is_that_of_the_subtask_that_purged_least()
    {
        var store = new SegmentStore();
        var chains = new List<SegmentChain>();
        for (var i = 0; i < 2; i++)
        {
            var groups = KeyGroups.Range(i, 2, 16);
            var (state, table) = New(groups);
            table.PurgedBefore = 10 * (i + 1);
            chains.Add(new SegmentChain(i, groups, [store.Put($"{i}", state.Freeze(StateSetup.Checkpoint(1), true, []).Encode())]));
        }

        var (merged, mergedTable) = New(new KeyGroupRange(0, 16));
        await merged.RestoreAsync(store, chains, TestContext.Current.CancellationToken);
        Assert.Equal(10, mergedTable.PurgedBefore);
    }

    [Fact]
    public void A_window_below_the_purge_line_is_refused_when_opened_and_when_frozen()
    {
        Open("a", 10, true);
        _table.PurgedBefore = 20;
        Assert.Throws<InvalidOperationException>(() => _table.Window("b", 10));
        Assert.Throws<InvalidOperationException>(() => _table.PurgedBefore = 10);
        var error = Assert.Throws<InvalidOperationException>(() => _state.Freeze(StateSetup.Checkpoint(1), true, []).Encode());
        Assert.Contains("purge line 20", error.Message);
    }

    [Fact]
    public void A_window_removed_twice_is_refused()
    {
        var slot = Open("a", 10, true);
        _table.Remove(slot);
        Assert.Throws<InvalidOperationException>(() => _table.Remove(slot));
    }

    private static (SubtaskState State, WindowTable<string, long> Table) New(KeyGroupRange groups)
    {
        var state = new SubtaskState(groups, 16, StateSetup.Serializers);
        var table = new WindowTable<string, long>("sum", groups, 16, StateSetup.Serializers);
        state.Register(table);
        return (state, table);
    }

    private int Open(string key, long start, bool expectAdded)
    {
        var slot = _table.GetOrAdd(key, KeyCodec<string>.Default.Hash(key), start, out var added);
        Assert.Equal(expectAdded, added);
        return slot;
    }
}
