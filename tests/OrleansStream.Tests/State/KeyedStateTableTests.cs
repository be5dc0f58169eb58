using OrleansStream.State;

namespace OrleansStream.Tests.State;

public sealed class KeyedStateTableTests
{
    private static readonly ValueState<long> Total = new("total") { Default = 100 };
    private static readonly ListState<int> List = new("list");
    private static readonly MapState<string, int> Map = new("map");

    private readonly KeyedStateTable<string> _table = new("score", StateSetup.AllGroups(128), 128, [Total, List, Map], StateSetup.Serializers);

    [Fact]
    public void A_key_that_was_never_set_has_the_declared_default()
    {
        var slot = _table.Slot("a");
        Assert.False(_table.Values(Total).Has(slot));
        Assert.Equal(100, _table.Values(Total).Get(slot));
        _table.Values(Total).GetRefForWrite(slot) += 1;
        Assert.Equal(101, _table.Values(Total).Get(slot));
        _table.Values(Total).Clear(slot);
        Assert.Equal(100, _table.Values(Total).Get(slot));
    }

    [Fact]
    public void A_key_leaves_when_its_last_state_is_gone_and_not_before()
    {
        var slot = _table.Slot("a");
        _table.Values(Total).Set(slot, 1);
        _table.Lists(List).Add(slot, 1);
        _table.Maps(Map).Set(slot, "x", 1);
        _table.EventTimers.Register(slot, 10);
        _table.ProcessingTimers.Register(slot, 10);

        _table.Values(Total).Clear(slot);
        AssertStays();
        _table.Lists(List).Clear(slot);
        AssertStays();
        _table.Maps(Map).Remove(slot, "x");
        AssertStays();
        _table.EventTimers.Delete(slot, 10);
        AssertStays();
        Assert.True(_table.ProcessingTimers.TryPopDue(10, out _, out _));
        _table.ReleaseIfEmpty(slot);
        Assert.False(_table.Has("a"));
        Assert.Equal(0, _table.KeyCount);

        void AssertStays()
        {
            _table.ReleaseIfEmpty(slot);
            Assert.True(_table.Has("a"));
        }
    }

    [Fact]
    public void A_freed_slot_is_given_to_the_next_key_and_comes_empty()
    {
        var slot = _table.Slot("a");
        _table.Values(Total).Set(slot, 1);
        _table.Values(Total).Clear(slot);
        _table.ReleaseIfEmpty(slot);
        Assert.Equal(slot, _table.Slot("b"));
        Assert.False(_table.Values(Total).Has(slot));
        Assert.Equal("b", _table.KeyOf(slot));
        Assert.Equal(KeyCodec<string>.Default.Hash("b"), _table.HashOf(slot));
    }

    [Fact]
    public void A_key_of_another_subtasks_group_is_refused()
    {
        var table = new KeyedStateTable<int>("score", new KeyGroupRange(0, 1), 128, [], StateSetup.Serializers);
        var stranger = Enumerable.Range(0, 1000).First(k => KeyGroups.Of(KeyCodec<int>.Default.Hash(k), 128) == 1);
        var error = Assert.Throws<InvalidOperationException>(() => table.Slot(stranger));
        Assert.Contains("'score'", error.Message);
        Assert.Equal(0, table.KeyCount);
    }

    [Fact]
    public void A_state_that_is_not_declared_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidOperationException>(() => _table.Values(new ValueState<long>("other")));
        Assert.Contains("'other'", error.Message);
        Assert.Contains("'score'", error.Message);
    }

    [Fact]
    public void A_list_that_was_handed_out_does_not_change_under_its_reader()
    {
        var slot = _table.Slot("a");
        var lists = _table.Lists(List);
        lists.Add(slot, 1);
        lists.Add(slot, 2);
        var before = lists.ItemsMemory(slot);
        lists.Add(slot, 3);
        lists.Replace(slot, [7, 8, 9]);
        lists.Clear(slot);
        lists.Add(slot, 4);
        Assert.Equal([1, 2], before.ToArray());
        Assert.Equal([4], lists.Items(slot).ToArray());
    }

    [Fact]
    public void A_list_can_be_replaced_by_a_part_of_itself()
    {
        var slot = _table.Slot("a");
        _table.Lists(List).Replace(slot, [1, 2, 3]);
        _table.Lists(List).Replace(slot, _table.Lists(List).Items(slot)[1..]);
        Assert.Equal([2, 3], _table.Lists(List).Items(slot).ToArray());
    }

    [Fact]
    public void Changing_which_entries_a_map_has_ends_its_enumeration_with_a_clear_error()
    {
        var slot = _table.Slot("a");
        var map = _table.Maps(Map);
        foreach (var key in new[] { "x", "y", "z" }) map.Set(slot, key, 1);
        foreach (var (key, value) in map.Entries(slot)) map.Set(slot, key, value + 1);
        Assert.Equal([2, 2, 2], map.Entries(slot).Select(e => e.Value));

        var error = Assert.Throws<InvalidOperationException>(() =>
        {
            foreach (var (key, _) in map.Entries(slot)) map.Remove(slot, key);
        });
        Assert.Contains("'map'", error.Message);
    }

    [Fact]
    public void Maps_of_different_keys_do_not_mix()
    {
        var (a, b) = (_table.Slot("a"), _table.Slot("b"));
        var map = _table.Maps(Map);
        map.Set(a, "x", 1);
        map.Set(b, "x", 2);
        map.Set(b, "y", 3);
        map.Clear(a);
        Assert.False(map.TryGet(a, "x", out _));
        Assert.Equal([new("x", 2), new("y", 3)], map.Entries(b));
    }

    [Fact]
    public void Many_keys_come_and_go_and_every_one_is_found_as_long_as_it_is_there()
    {
        var random = new Random(7);
        var table = new KeyedStateTable<long>("score", StateSetup.AllGroups(128), 128, [Total], StateSetup.Serializers);
        var model = new Dictionary<long, long>();
        for (var i = 0; i < 200_000; i++)
        {
            var key = random.NextInt64(5_000);
            var slot = table.Slot(key);
            Assert.Equal(model.GetValueOrDefault(key, 100), table.Values(Total).Get(slot));
            if (random.Next(3) == 0)
            {
                table.Values(Total).Clear(slot);
                model.Remove(key);
            }
            else
            {
                table.Values(Total).Set(slot, i);
                model[key] = i;
            }

            table.ReleaseIfEmpty(slot);
        }

        Assert.Equal(model.Count, table.KeyCount);
        Assert.True(table.SlotLimit <= 5_000);
    }
}
