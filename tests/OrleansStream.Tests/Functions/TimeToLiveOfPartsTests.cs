using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Tests.Functions;

/// <summary>Time-to-live of what is kept in parts: lists, maps and folds.</summary>
public sealed class TimeToLiveOfPartsTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void Items_of_a_list_expire_each_by_itself()
    {
        var rig = Lists(Ten);

        Assert.Equal(["1,2,3", "2,3", "3", ""], rig.Give(("a+1", 0), ("a+2", 3), ("a+3", 6), ("a?", 9), ("a?", 10), ("a?", 13), ("a?", 16)));
    }

    [Fact]
    public void Items_out_of_order_expire_in_the_order_of_their_times()
    {
        var rig = Lists(Ten);

        Assert.Equal(["6,0,3", "6,3", "6"], rig.Give(("a+6", 6), ("a+0", 0), ("a+3", 3), ("a?", 9), ("a?", 10), ("a?", 13)));
    }

    [Fact]
    public void Replacing_a_list_touches_all_of_it()
    {
        var rig = Lists(Ten);

        Assert.Equal(["7,8", ""], rig.Give(("a+1", 0), ("a=7,8", 5), ("a?", 14), ("a?", 15)));
    }

    [Fact]
    public void Reading_a_list_touches_the_items_that_live_where_the_policy_says_so()
    {
        var rig = Lists(TimeToLive.InEventTime(Ten, refreshOnRead: true));

        Assert.Equal(["2", "2", ""], rig.Give(("a+1", 0), ("a+2", 5), ("a?", 12), ("a?", 21), ("a?", 31)));
    }

    [Fact]
    public void Expired_items_are_removed_and_the_key_leaves_with_the_last()
    {
        var rig = Lists(Ten);
        rig.Give(("a+1", 0), ("a+2", 5), ("a+3", 5));
        rig.Advance(10);
        Assert.Equal([2, 3], Column().Items(0).ToArray());
        rig.Advance(15);

        Assert.Equal(0, rig.Scope.Table.KeyCount);

        ListColumn<int> Column() => ((ListExpiry<int>)rig.Scope.Table.ExpiryOf(rig.States[0])!).Lists;
    }

    [Fact]
    public void A_record_that_fails_leaves_a_list_and_its_times_as_they_were()
    {
        var rig = Lists(TimeToLive.InEventTime(Ten, refreshOnRead: true), OnError.DeadLetter);

        rig.Give(("a+1", 0), ("a+2", 5), ("a?!", 9), ("a+3!", 9), ("a=9!", 9));

        // Had the failed reading touched them, both would live at 12.
        Assert.Equal(["2"], rig.Give(("a?", 12)));
        Assert.Equal(3, rig.Letters.Records.Count);
    }

    [Fact]
    public void Entries_of_a_map_expire_each_by_itself_and_are_not_counted()
    {
        var rig = Maps(Ten);

        Assert.Equal(
            ["x=1 y=2 /2", "y=2 /1", "- False", "y=2 /1", "2 True", " /0"],
            rig.Give(("a x=1", 0), ("a y=2", 5), ("a?", 9), ("a?", 10), ("a x?", 10), ("a?", 10), ("a y?", 14), ("a?", 15)));
    }

    [Fact]
    public void An_entry_that_is_set_after_it_expired_comes_behind_the_others_whether_it_was_removed_or_not()
    {
        Assert.Equal(["y=2 x=3 /2"], Maps(Ten).Give(("a x=1", 0), ("a y=2", 5), ("a x=3", 10), ("a?", 10)));
        var swept = Maps(Ten);
        swept.Give(("a x=1", 0), ("a y=2", 5));
        swept.Advance(10);

        Assert.Equal(["y=2 x=3 /2"], swept.Give(("a x=3", 11), ("a?", 11)));
    }

    [Fact]
    public void Removing_an_entry_says_whether_one_lived()
    {
        var rig = Maps(Ten);

        Assert.Equal(["True", "False"], rig.Give(("a x=1", 0), ("a y=2", 0), ("a x-", 9), ("a y-", 10)));
        Assert.Equal(0, rig.Scope.Table.KeyCount);
    }

    [Fact]
    public void Looking_up_an_entry_touches_it_and_enumerating_touches_all_where_the_policy_says_so()
    {
        var rig = Maps(TimeToLive.InEventTime(Ten, refreshOnRead: true));

        Assert.Equal(["1 True", "x=1 /1", "x=1 /1", " /0"], rig.Give(("a x=1", 0), ("a y=2", 0), ("a x?", 5), ("a?", 10), ("a?", 19), ("a?", 29)));
    }

    [Fact]
    public void Expired_entries_are_removed_and_the_key_leaves_with_the_last()
    {
        var rig = Maps(Ten);
        rig.Give(("a x=1", 0), ("a y=2", 5), ("b x=1", 0));
        rig.Advance(10);
        Assert.Equal(1, rig.Scope.Table.KeyCount);
        Assert.Equal(1, ((MapExpiry<string, int>)rig.Scope.Table.ExpiryOf(rig.States[0])!).Maps.EntryLimit - Free());
        rig.Advance(15);

        Assert.Equal(0, rig.Scope.Table.KeyCount);

        int Free() => Enumerable.Range(0, 3).Count(entry => !((MapExpiry<string, int>)rig.Scope.Table.ExpiryOf(rig.States[0])!).Maps.TryEntry(entry, out _, out _));
    }

    [Fact]
    public void A_record_that_fails_leaves_a_map_and_its_times_as_they_were()
    {
        var rig = Maps(TimeToLive.InEventTime(Ten, refreshOnRead: true), OnError.DeadLetter);
        rig.Give(("a x=1", 0), ("a y=2", 5));
        rig.Give(("a?!", 9), ("a x?!", 9), ("a x=7!", 9), ("a y-!", 9), ("a clear!", 9), ("a z=1!", 9));

        Assert.Equal(6, rig.Letters.Records.Count);
        Assert.Equal(["- False", "y=2 /1"], rig.Give(("a x?", 10), ("a?", 14)));
    }

    [Fact]
    public void A_fold_begins_anew_when_what_it_had_has_expired()
    {
        var sum = new ReducingState<int>("sum", static (have, item) => have + item) { TimeToLive = Ten };
        var count = new AggregatingState<int, int, string>("count", new Counted()) { TimeToLive = Ten };
        var rig = new KeyedRig([sum, count], (record, ref context) =>
        {
            context.Add(sum, record[1] - '0');
            context.Add(count, 0);
            context.Emit($"{context.Get(sum)} {context.Get(count)} {context.Has(sum)}");
        });

        Assert.Equal(["1 n=1 True", "3 n=2 True", "4 n=1 True"], rig.Give(("a1", 0), ("a2", 9), ("a4", 19)));
        rig.Advance(29);
        Assert.Equal(0, rig.Scope.Table.KeyCount);
    }

    private static KeyedRig Lists(TimeToLive policy, OnError onError = OnError.Fail)
    {
        var state = new ListState<int>("kept") { TimeToLive = policy };
        return new KeyedRig([state], (record, ref context) =>
        {
            var what = record[1..].TrimEnd('!');
            if (what[0] == '?') context.Emit(string.Join(',', context.Items(state).ToArray()));
            else if (what[0] == '+') context.Add(state, what[1] - '0');
            else context.Replace(state, [.. what[1..].Split(',').Select(static item => item[0] - '0')]);
            if (record.EndsWith('!')) throw new FormatException(record);
        }, onError: onError);
    }

    private static KeyedRig Maps(TimeToLive policy, OnError onError = OnError.Fail)
    {
        var state = new MapState<string, int>("kept") { TimeToLive = policy };
        return new KeyedRig([state], (record, ref context) =>
        {
            var what = record[1..].TrimEnd('!').Trim();
            if (what == "?") context.Emit($"{string.Join(' ', context.Entries(state).Select(static entry => $"{entry.Key}={entry.Value}"))} /{context.Count(state)}");
            else if (what == "clear") context.Clear(state);
            else if (what[1] == '?') context.Emit(context.TryGet(state, what[..1], out var value) ? $"{value} True" : "- False");
            else if (what[1] == '-') context.Emit($"{context.Remove(state, what[..1])}");
            else context.Set(state, what[..1], what[2] - '0');
            if (record.EndsWith('!')) throw new FormatException(record);
        }, onError: onError);
    }

    private sealed class Counted : AggregateFunction<int, int, string>
    {
        public override int Create() => 0;

        public override void Add(ref int accumulator, in int record) => accumulator++;

        public override string Result(in int accumulator) => $"n={accumulator}";
    }
}
