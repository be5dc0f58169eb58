using OrleansStream.Checkpoints;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

public sealed class SegmentDamageTests
{
    private const int MaxParallelism = 16;
    private const int PieceBytes = 256;
    private const string Name = "1/a/0-1.segment";

    private static readonly ValueState<long> Total = new("total");
    private static readonly MapState<int, Profile> Map = new("map");

    private readonly SegmentStore _store = new();
    private readonly SegmentRef _segment;

    public SegmentDamageTests()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        for (var i = 0; i < 12; i++)
        {
            table.Values(Total).Set(table.Slot($"k{i}"), i);
            table.Maps(Map).Set(table.Slot($"k{i}"), i, new Profile("p", i));
            table.EventTimers.Register(table.Slot($"k{i}"), i);
        }

        var whole = state.Freeze(StateSetup.Checkpoint(1), true, [new OperatorBlob("score", "watermark", [1, 2, 3])]).Encode(PieceBytes);
        Assert.InRange(whole.Pieces, 4, 100);
        _segment = _store.Put(Name, whole);
    }

    [Fact]
    public async Task Groups_of_a_segment_of_several_pieces_come_again()
    {
        var reader = await SegmentReader.OpenAsync(_store, _segment, TestContext.Current.CancellationToken);
        var groups = new List<int>();
        await reader.ReadBlocksAsync(StateSetup.AllGroups(MaxParallelism), (group, _) => groups.Add(group), TestContext.Current.CancellationToken);
        Assert.True(groups.Distinct().Count() < groups.Count);
        var some = new List<int>();
        await reader.ReadBlocksAsync(new KeyGroupRange(3, 7), (group, _) => some.Add(group), TestContext.Current.CancellationToken);
        Assert.Equal(groups.Where(static group => group is >= 3 and < 7), some);
    }

    [Fact]
    public async Task The_undamaged_segment_is_read_whole_and_in_parts()
    {
        await ReadAsync(StateSetup.AllGroups(MaxParallelism));
        await ReadAsync(new KeyGroupRange(3, 7));
    }

    [Fact]
    public async Task Every_flipped_bit_is_noticed_when_the_whole_is_read()
    {
        var whole = _store.Objects[Name];
        for (var bit = 0; bit < whole.Length * 8; bit++)
        {
            whole[bit / 8] ^= (byte)(1 << (bit % 8));
            await AssertNoticedAsync(StateSetup.AllGroups(MaxParallelism), $"bit {bit}");
            whole[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public async Task Every_flipped_bit_is_noticed_by_those_who_read_some_groups_or_lies_in_a_group_they_do_not_read()
    {
        var whole = _store.Objects[Name];
        var halves = new[] { new KeyGroupRange(0, 8), new KeyGroupRange(8, 16) };
        for (var bit = 0; bit < whole.Length * 8; bit += 3)
        {
            whole[bit / 8] ^= (byte)(1 << (bit % 8));
            var noticed = 0;
            foreach (var half in halves)
            {
                try
                {
                    await ReadAsync(half);
                }
                catch (DamagedObjectException)
                {
                    noticed++;
                }
            }

            Assert.True(noticed > 0, $"Bit {bit} was noticed by neither half.");
            whole[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public async Task Every_truncation_is_noticed_and_so_is_anything_added()
    {
        var whole = _store.Objects[Name];
        for (var length = 0; length < whole.Length; length++)
        {
            _store.Objects[Name] = whole[..length];
            await AssertNoticedAsync(new KeyGroupRange(0, 1), $"length {length}");
        }

        _store.Objects[Name] = [.. whole, 0];
        Assert.Contains("more bytes", await AssertNoticedAsync(new KeyGroupRange(0, 1), "one byte more"));
        _store.Objects.Remove(Name);
        Assert.Contains("missing", await AssertNoticedAsync(new KeyGroupRange(0, 1), "missing"));
    }

    [Fact]
    public async Task Another_whole_segment_of_the_same_length_is_noticed_by_the_manifests_checksum()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        for (var i = 0; i < 12; i++)
        {
            table.Values(Total).Set(table.Slot($"k{i}"), i + 1);
            table.Maps(Map).Set(table.Slot($"k{i}"), i, new Profile("p", i));
            table.EventTimers.Register(table.Slot($"k{i}"), i);
        }

        var other = _store.Put(Name, state.Freeze(StateSetup.Checkpoint(1), true, [new OperatorBlob("score", "watermark", [1, 2, 3])]).Encode(PieceBytes));
        Assert.Equal(_segment.LengthBytes, other.LengthBytes);
        await AssertNoticedAsync(StateSetup.AllGroups(MaxParallelism), "another segment");
    }

    [Fact]
    public async Task A_large_segment_is_read_in_pieces_and_held_against_the_same_checksums()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        for (var i = 0; i < 30_000; i++) table.Values(Total).Set(table.Slot($"key-{i}"), i);
        var segment = _store.Put("large", state.Freeze(StateSetup.Checkpoint(1), true, []).Encode());
        var reader = await SegmentReader.OpenAsync(_store, segment, TestContext.Current.CancellationToken);
        var groups = new List<int>();
        await reader.ReadBlocksAsync(StateSetup.AllGroups(MaxParallelism), (group, _) => groups.Add(group), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, MaxParallelism), groups);

        var bytes = _store.Objects["large"];
        foreach (var at in new[] { 100, bytes.Length / 2, bytes.Length - 200 })
        {
            bytes[at] ^= 1;
            await Assert.ThrowsAsync<DamagedObjectException>(async () =>
            {
                var damaged = await SegmentReader.OpenAsync(_store, segment, TestContext.Current.CancellationToken);
                await damaged.ReadBlocksAsync(StateSetup.AllGroups(MaxParallelism), (_, _) => { }, TestContext.Current.CancellationToken);
            });
            bytes[at] ^= 1;
        }
    }

    [Fact]
    public async Task An_index_longer_than_the_tail_that_is_read_first_is_read_and_held_against_its_checksum()
    {
        var (state, table) = New(StateSetup.AllGroups(MaxParallelism));
        for (var i = 0; i < 20_000; i++) table.Values(Total).Set(table.Slot($"key-{i}"), i);
        var segment = _store.Put("many", state.Freeze(StateSetup.Checkpoint(1), true, []).Encode(pieceBytes: 64));
        var chain = new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [segment]);
        var (restored, found) = New(StateSetup.AllGroups(MaxParallelism));
        await restored.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken);
        Assert.Equal(20_000, found.KeyCount);
        Assert.Equal(777, found.Values(Total).Get(found.Slot("key-777")));

        var bytes = _store.Objects["many"];
        foreach (var fromEnd in new[] { 60_000, 70_000, 200_000 })
        {
            bytes[^fromEnd] ^= 16;
            var (other, _) = New(StateSetup.AllGroups(MaxParallelism));
            var damaged = await Assert.ThrowsAsync<DamagedObjectException>(async () => await other.RestoreAsync(_store, [chain], TestContext.Current.CancellationToken));
            Assert.Contains("the footer", damaged.Message);
            bytes[^fromEnd] ^= 16;
        }
    }

    private static (SubtaskState State, KeyedStateTable<string> Table) New(KeyGroupRange groups)
    {
        var state = new SubtaskState(groups, MaxParallelism, StateSetup.Serializers);
        var table = new KeyedStateTable<string>("score", groups, MaxParallelism, [Total, Map], StateSetup.Serializers);
        state.Register(table);
        return (state, table);
    }

    private async Task ReadAsync(KeyGroupRange groups)
    {
        var (state, _) = New(groups);
        await state.RestoreAsync(_store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [_segment])], TestContext.Current.CancellationToken);
    }

    private async Task<string> AssertNoticedAsync(KeyGroupRange groups, string what)
    {
        try
        {
            await ReadAsync(groups);
        }
        catch (DamagedObjectException e)
        {
            Assert.Equal(Name, e.ObjectName);
            return e.Message;
        }

        throw new InvalidOperationException($"Not noticed: {what}.");
    }
}
