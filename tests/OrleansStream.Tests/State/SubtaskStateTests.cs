using System.Runtime;
using System.Text;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

public sealed class SubtaskStateTests
{
    private const int MaxParallelism = 128;

    private static readonly ValueState<long> Total = new("total");
    private static readonly MapState<int, long> Map = new("map");

    private readonly SegmentStore _store = new();

    [Fact]
    public void A_delta_of_one_percent_changed_is_small_and_a_big_map_costs_only_what_changed_in_it()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        for (var i = 0; i < 20_000; i++) table.Values(Total).Set(table.Slot($"key-{i}"), i);
        for (var i = 0; i < 20_000; i++) table.Maps(Map).Set(table.Slot("big"), i, i);
        var full = state.Freeze(StateSetup.Checkpoint(1), false, []).Encode();
        state.Published(StateSetup.Checkpoint(1));
        for (var i = 0; i < 200; i++) table.Values(Total).Set(table.Slot($"key-{i}"), -i);
        for (var i = 0; i < 200; i++) table.Maps(Map).Set(table.Slot("big"), i, -i);
        var delta = state.Freeze(StateSetup.Checkpoint(2), false, []).Encode();
        Assert.True(full.Full);
        Assert.False(delta.Full);
        Assert.InRange(delta.Content.Length, 1, full.Content.Length / 40);
    }

    [Fact]
    public void After_a_rehearsal_the_first_freezes_compile_nothing()
    {
        // What is common to all types is compiled with these; of the others nobody else makes tables.
        FreezeTwice<long, int>(isRehearsed: false);
        Assert.NotEqual(0, FreezeTwice<(sbyte, ushort), (sbyte, long)>(isRehearsed: false));
        Assert.Equal(0, FreezeTwice<(short, ushort), (short, long)>(isRehearsed: true));

        static int FreezeTwice<TKey, TAccumulator>(bool isRehearsed)
            where TKey : notnull
        {
            var state = new SubtaskState(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
            state.Register(new WindowTable<TKey, TAccumulator>("windows", StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers));
            if (isRehearsed) state.Rehearse();
            var compiled = Compiled(1);
            state.Published(StateSetup.Checkpoint(1));
            return compiled + Compiled(2);

            int Compiled(int checkpoint)
            {
                var before = JitInfo.GetCompiledMethodCount(currentThread: true);
                state.Freeze(StateSetup.Checkpoint(checkpoint), false, []);
                return (int)(JitInfo.GetCompiledMethodCount(currentThread: true) - before);
            }
        }
    }

    [Fact]
    public void A_rehearsal_leaves_no_trace_in_snapshots_and_comes_before_everything_else()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        var (other, otherTable) = New(StateSetup.AllGroups(MaxParallelism));
        state.Rehearse();
        for (var number = 1; number <= 2; number++)
        {
            table.Values(Total).Set(table.Slot($"key-{number}"), number);
            otherTable.Values(Total).Set(otherTable.Slot($"key-{number}"), number);
            Assert.Equal(other.Freeze(StateSetup.Checkpoint(number), false, []).Encode().Content.ToArray(), state.Freeze(StateSetup.Checkpoint(number), false, []).Encode().Content.ToArray());
            state.Published(StateSetup.Checkpoint(number));
            other.Published(StateSetup.Checkpoint(number));
        }

        Assert.Throws<InvalidOperationException>(state.Rehearse);
    }

    [Fact]
    public void Until_a_checkpoint_is_known_to_be_published_every_snapshot_is_full()
    {
        var (state, _) = New(StateSetup.AllGroups(MaxParallelism));
        Assert.True(state.Freeze(StateSetup.Checkpoint(1), false, []).Full);
        Assert.True(state.Freeze(StateSetup.Checkpoint(2), false, []).Full);
        state.Published(StateSetup.Checkpoint(1));
        var third = state.Freeze(StateSetup.Checkpoint(3), false, []);
        Assert.Equal(StateSetup.Checkpoint(1), third.Base);
        state.Published(StateSetup.Checkpoint(3));
        state.Published(StateSetup.Checkpoint(1));
        Assert.Equal(StateSetup.Checkpoint(3), state.Base);
        Assert.Null(state.Freeze(StateSetup.Checkpoint(4), true, []).Base);
    }

    [Fact]
    public void A_publication_of_what_was_never_frozen_or_was_abandoned_is_refused()
    {
        var (state, _) = New(StateSetup.AllGroups(MaxParallelism));
        Assert.Throws<InvalidOperationException>(() => state.Published(StateSetup.Checkpoint(1)));
        state.Freeze(StateSetup.Checkpoint(1), false, []);
        state.Abandoned(StateSetup.Checkpoint(1));
        Assert.Throws<InvalidOperationException>(() => state.Published(StateSetup.Checkpoint(1)));
        Assert.Throws<InvalidOperationException>(() => state.Freeze(StateSetup.Checkpoint(1), false, []));
    }

    [Fact]
    public async Task Blobs_of_all_former_subtasks_come_back_with_the_subtask_they_were_of()
    {
        var chains = new List<SegmentChain>();
        for (var i = 0; i < 3; i++)
        {
            var groups = KeyGroups.Range(i, 3, MaxParallelism);
            var (state, _) = New(groups);
            var blob = new OperatorBlob("source", "offset", Encoding.UTF8.GetBytes($"at {i}"));
            chains.Add(new SegmentChain(i, groups, [_store.Put($"{i}", state.Freeze(StateSetup.Checkpoint(1), true, [blob]).Encode())]));
        }

        var (restored, _) = New(KeyGroups.Range(0, 5, MaxParallelism));
        var result = await restored.RestoreAsync(_store, chains, TestContext.Current.CancellationToken);
        Assert.Equal([(0, "at 0"), (1, "at 1"), (2, "at 2")], result.Blobs.Select(b => (b.FormerSubtask, Encoding.UTF8.GetString(b.Blob.Bytes))));
        Assert.Null(result.BuildsOn);
    }

    [Fact]
    public async Task A_subtask_with_a_tenth_of_the_groups_reads_about_a_tenth_of_the_bytes()
    {
        var chain = await SaveAsync(50_000);
        var (tenth, table) = New(new KeyGroupRange(64, 77));
        await tenth.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken);
        Assert.InRange(table.KeyCount, 4_000, 6_000);
        Assert.InRange(_store.BytesRead, 1, (chain.Segments[0].LengthBytes / 9) + 70_000);
    }

    [Fact]
    public async Task After_a_restore_of_the_same_groups_the_next_delta_builds_on_the_restored_chain_and_is_empty_of_old_state()
    {
        var chain = await SaveAsync(10_000);
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        var result = await state.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken);
        Assert.Equal(StateSetup.Checkpoint(1), result.BuildsOn);
        table.Values(Total).Set(table.Slot("key-1"), 5);
        var frozen = state.Freeze(new CheckpointId(new Attempt(2), 1), false, []);
        Assert.Equal(StateSetup.Checkpoint(1), frozen.Base);
        Assert.InRange(frozen.Encode().Content.Length, 1, 600);
    }

    [Fact]
    public async Task Tables_that_were_passed_on_are_found_by_declarations_made_anew_and_reading_them_takes_no_block()
    {
        var chain = await SaveAsync(10_000);
        var (former, _) = New(StateSetup.AllGroups(MaxParallelism));
        await former.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken);
        var segment = _store.Put("delta", former.Freeze(new CheckpointId(new Attempt(2), 1), false, []).Encode());
        _store.BytesRead = 0;

        former.PassOn();
        var (total, map) = (new ValueState<long>("total"), new MapState<int, long>("map"));
        var table = former.Register(new KeyedStateTable<string>("score", former.Groups, MaxParallelism, [total, map], StateSetup.Serializers));
        Assert.True(former.IsTakenOver);
        await former.RestoreAsync(_store, [chain with { Segments = [.. chain.Segments, segment] }], TestContext.Current.CancellationToken);

        Assert.Equal(10_000, table.KeyCount);
        Assert.Equal(7, table.Values(total).Get(table.Slot("key-7")));
        Assert.Throws<InvalidOperationException>(() => table.ColumnOf(Total));
        Assert.InRange(_store.BytesRead, 1, 70_000);
        Assert.Equal(new CheckpointId(new Attempt(2), 1), former.Base);
    }

    [Fact]
    public void Tables_of_other_shapes_are_not_taken_over()
    {
        foreach (var (name, states) in new (string, StateDeclaration[])[] { ("score", [Total]), ("score", [Map, Total]), ("other", [Total, Map]) })
        {
            var (former, table) = New(StateSetup.AllGroups(MaxParallelism));
            former.Freeze(StateSetup.Checkpoint(1), false, []);
            former.PassOn();
            Assert.False(former.IsTakenOver);
            Assert.NotSame(table, former.Register(new KeyedStateTable<string>(name, former.Groups, MaxParallelism, states, StateSetup.Serializers)));
            Assert.False(former.IsTakenOver);
        }
    }

    [Fact]
    public async Task Tables_of_another_checkpoint_than_the_one_to_begin_from_are_refused()
    {
        var chain = await SaveAsync(10);
        var (state, _) = New(StateSetup.AllGroups(MaxParallelism));
        await state.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken);
        state.Freeze(new CheckpointId(new Attempt(2), 1), false, []);
        state.PassOn();
        state.Register(new KeyedStateTable<string>("score", state.Groups, MaxParallelism, [Total, Map], StateSetup.Serializers));

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await state.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_restore_of_other_groups_is_followed_by_a_full_snapshot()
    {
        var chain = await SaveAsync(100);
        var (state, _) = New(new KeyGroupRange(0, 64));
        await state.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken);
        Assert.True(state.Freeze(new CheckpointId(new Attempt(2), 1), false, []).Full);
    }

    [Fact]
    public async Task State_that_is_no_longer_declared_is_refused_by_name_and_new_state_begins_empty()
    {
        var chain = await SaveAsync(100);
        var added = new ValueState<long>("added");
        var (more, table) = New(StateSetup.AllGroups(MaxParallelism), Total, Map, added);
        await more.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken);
        Assert.False(table.Values(added).Has(table.Slot("key-1")));
        Assert.Equal(1, table.Values(Total).Get(table.Slot("key-1")));

        var (less, _) = New(StateSetup.AllGroups(MaxParallelism), Map);
        var error = await Refused(less, [chain]);
        Assert.Contains("'total'", error.Message);
        Assert.Contains("'score'", error.Message);
    }

    [Fact]
    public async Task A_state_of_another_type_or_kind_or_key_is_refused_by_name()
    {
        var chain = await SaveAsync(100);
        var (otherType, _) = New(StateSetup.AllGroups(MaxParallelism), new ValueState<int>("total"), Map);
        Assert.Contains("'total'", (await Refused(otherType, [chain])).Message);
        var (otherKind, _) = New(StateSetup.AllGroups(MaxParallelism), new ListState<long>("total"), Map);
        Assert.Contains("'total'", (await Refused(otherKind, [chain])).Message);
        var otherKey = new SubtaskState(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
        otherKey.Register(new KeyedStateTable<int>("score", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [Total, Map], StateSetup.Serializers));
        Assert.Contains("int32", (await Refused(otherKey, [chain])).Message);
    }

    [Fact]
    public async Task A_value_of_another_generated_type_is_refused_and_not_read_as_defaults()
    {
        var saved = new ValueState<Profile>("thing");
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism), saved);
        table.Values(saved).Set(table.Slot("a"), new Profile("x", 1));
        var chain = new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [_store.Put("s", state.Freeze(StateSetup.Checkpoint(1), true, []).Encode())]);
        var (other, _) = New(StateSetup.AllGroups(MaxParallelism), new ValueState<Version>("thing"));
        Assert.Contains("'thing'", (await Refused(other, [chain])).Message);
    }

    [Fact]
    public async Task Bytes_that_a_table_cannot_read_are_refused_with_their_place_and_the_cause()
    {
        var chain = await SaveAsync(10);
        var state = new SubtaskState(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
        var table = new KeyedStateTable<string>("score", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [Total, Map], StateSetup.Serializers);
        state.Register(new UnreadingPart(table));
        var error = await Refused(state, [chain]);
        Assert.Contains("the value state 'total' of operator 'score'", error.Message);
        Assert.Contains("'saved'", error.Message);
        Assert.IsType<FormatException>(error.InnerException);
    }

    [Fact]
    public async Task Values_that_share_objects_inside_and_among_each_other_rest_each_by_itself()
    {
        var twins = new ValueState<Twins>("twins");
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism), twins);
        var shared = new Profile("shared", 1);
        var values = Enumerable.Range(0, 500).Select(i => new Profile("own", i)).Select((own, i) => (i % 3) switch
        {
            0 => new Twins(own, own),
            1 => new Twins(shared, own),
            _ => new Twins(shared, shared),
        }).ToArray();
        for (var i = 0; i < values.Length; i++) table.Values(twins).Set(table.Slot($"key-{i}"), values[i]);
        var segment = _store.Put("twins", state.Freeze(StateSetup.Checkpoint(1), true, []).Encode());

        // Read in parts, by another subtask each, so that no value can lean on one before it.
        for (var subtask = 0; subtask < 3; subtask++)
        {
            var (part, read) = New(KeyGroups.Range(subtask, 3, MaxParallelism), twins);
            await part.RestoreAsync(_store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [segment])], TestContext.Current.CancellationToken);
            Assert.InRange(read.KeyCount, 100, 250);
            for (var i = 0; i < 500; i++)
            {
                if (!read.TryGetSlot($"key-{i}", KeyCodec<string>.Default.Hash($"key-{i}"), out var slot)) continue;
                Assert.Equal(values[i], read.Values(twins).Get(slot));
            }
        }
    }

    [Fact]
    public async Task A_key_whose_state_was_cleared_but_not_released_before_the_freeze_is_gone_after_a_restore()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        table.Values(Total).Set(table.Slot("a"), 1);
        var full = _store.Put("full", state.Freeze(StateSetup.Checkpoint(1), true, []).Encode());
        state.Published(StateSetup.Checkpoint(1));
        table.Values(Total).Clear(table.Slot("a"));
        var delta = _store.Put("delta", state.Freeze(StateSetup.Checkpoint(2), false, []).Encode());

        var (restored, read) = New(StateSetup.AllGroups(MaxParallelism));
        await restored.RestoreAsync(_store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [full, delta])], TestContext.Current.CancellationToken);
        Assert.Equal(0, read.KeyCount);
    }

    [Fact]
    public async Task Chains_that_leave_a_key_group_out_or_name_it_twice_are_refused()
    {
        var chain = await SaveAsync(100);
        var half = chain with { FormerGroups = new KeyGroupRange(0, 64) };
        var (state, _) = New(StateSetup.AllGroups(MaxParallelism));
        Assert.Contains("64", (await Refused(state, [half])).Message);
        var (again, _) = New(StateSetup.AllGroups(MaxParallelism));
        await Refused(again, [chain, half]);
        var (none, _) = New(StateSetup.AllGroups(MaxParallelism));
        await Refused(none, []);
    }

    [Fact]
    public async Task A_chain_with_a_delta_missing_or_in_front_is_noticed()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        var segments = new List<SegmentRef>();
        for (var i = 1; i <= 3; i++)
        {
            table.Values(Total).Set(table.Slot("a"), i);
            segments.Add(_store.Put($"{i}", state.Freeze(StateSetup.Checkpoint(i), false, []).Encode()));
            state.Published(StateSetup.Checkpoint(i));
        }

        foreach (var wrong in new[] { new[] { 0, 2 }, [1, 2], [0, 2, 1] })
        {
            var (restored, _) = New(StateSetup.AllGroups(MaxParallelism));
            var chain = new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [.. wrong.Select(i => segments[i])]);
            await Assert.ThrowsAsync<DamagedObjectException>(async () => await restored.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Another_number_of_key_groups_is_refused_with_both_numbers()
    {
        var chain = await SaveAsync(10);
        var state = new SubtaskState(StateSetup.AllGroups(64), 64, StateSetup.Serializers);
        var message = (await Refused(state, [chain])).Message;
        Assert.Contains("128", message);
        Assert.Contains("64", message);
    }

    [Fact]
    public void Tables_are_not_registered_late_or_under_one_name()
    {
        var (state, _) = New(StateSetup.AllGroups(MaxParallelism));
        var same = new KeyedStateTable<string>("score", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [], StateSetup.Serializers);
        Assert.Throws<InvalidOperationException>(() => state.Register(same));
        state.Freeze(StateSetup.Checkpoint(1), true, []);
        var late = new KeyedStateTable<string>("late", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [], StateSetup.Serializers);
        Assert.Throws<InvalidOperationException>(() => state.Register(late));
    }

    private static (SubtaskState State, KeyedStateTable<string> Table) New(KeyGroupRange groups, params StateDeclaration[] states)
    {
        var state = new SubtaskState(groups, MaxParallelism, StateSetup.Serializers);
        var table = new KeyedStateTable<string>("score", groups, MaxParallelism, states.Length > 0 ? states : [Total, Map], StateSetup.Serializers);
        state.Register(table);
        return (state, table);
    }

    private async Task<JobRefusedException> Refused(SubtaskState state, IReadOnlyList<SegmentChain> chains) =>
        await Assert.ThrowsAsync<JobRefusedException>(async () => await state.RestoreAsync(_store, chains, TestContext.Current.CancellationToken));

    private Task<SegmentChain> SaveAsync(int keys)
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        for (var i = 0; i < keys; i++) table.Values(Total).Set(table.Slot($"key-{i}"), i);
        var segment = _store.Put("saved", state.Freeze(StateSetup.Checkpoint(1), true, []).Encode());
        return Task.FromResult(new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [segment]));
    }

    private sealed class UnreadingPart(ISnapshotPart part) : ISnapshotPart
    {
        public string Operator => part.Operator;

        public IReadOnlyList<StateShape> Shapes => part.Shapes;

        public uint Epoch => part.Epoch;

        public IFrozenPart Freeze(uint since) => part.Freeze(since);

        public void Forget(uint epoch) => part.Forget(epoch);

        public void Restore(int shape, RestoredSection section) => throw new FormatException("field 3 is no number");

        public void RestoreLine(int shape, long line, KeyGroupRange groups) => part.RestoreLine(shape, line, groups);

        public void MakeRoom(int shape, int more) => part.MakeRoom(shape, more);

        public void EndRestore() => part.EndRestore();

        public void StandFor(ISnapshotPart fresh) => part.StandFor(fresh);
    }
}
