using System.Globalization;
using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Tests.Functions;

public sealed class FoldingStateTests
{
    private static readonly ReducingState<int> Highest = new("highest", Math.Max);
    private static readonly AggregatingState<int, (int Count, int Sum), string> Mean = new("mean", new MeanOf());

    [Fact]
    public void A_reduction_begins_with_the_first_item_and_folds_each_other()
    {
        var rig = new KeyedRig([Highest], static (record, ref context) =>
        {
            var before = $"{context.Has(Highest)} {context.Get(Highest)}";
            context.Add(Highest, Number(record));
            context.Emit($"{context.Key}: {before} -> {context.Get(Highest)}");
        });

        Assert.Equal(["a: False 0 -> -3", "a: True -3 -> -2", "b: False 0 -> -7", "a: True -2 -> -2"], rig.Give(("a-3", 1), ("a-2", 2), ("b-7", 3), ("a-5", 4)));
    }

    [Fact]
    public void An_aggregate_takes_items_in_and_makes_its_result_when_it_is_asked()
    {
        var rig = new KeyedRig([Mean], static (record, ref context) =>
        {
            if (record.EndsWith('?')) context.Emit($"{context.Has(Mean)} {context.Get(Mean) ?? "none"}");
            else context.Add(Mean, Number(record));
        });

        Assert.Equal(["False none", "True 3 of 2", "True 9 of 1"], rig.Give(("a?", 1), ("a2", 2), ("a4", 3), ("a?", 4), ("b9", 5), ("b?", 6)));
    }

    [Fact]
    public void A_key_whose_folds_are_cleared_leaves()
    {
        var rig = new KeyedRig([Highest, Mean], static (record, ref context) =>
        {
            if (record == "a!")
            {
                context.Clear(Highest);
                context.Clear(Mean);
            }
            else
            {
                context.Add(Highest, Number(record));
                context.Add(Mean, Number(record));
            }
        });
        rig.Give(("a1", 1));
        Assert.Equal(1, rig.Scope.Table.KeyCount);
        rig.Give(("a!", 2));

        Assert.Equal(0, rig.Scope.Table.KeyCount);
    }

    [Fact]
    public void A_record_that_fails_leaves_folds_as_they_were()
    {
        var rig = new KeyedRig([Highest, Mean], static (record, ref context) =>
        {
            context.Add(Highest, Number(record[..2]));
            context.Add(Mean, Number(record[..2]));
            if (record.EndsWith('x')) context.Clear(Highest);
            if (record.EndsWith('!') || record.EndsWith('x')) throw new FormatException(record);
            context.Emit($"{context.Get(Highest)} {context.Get(Mean)}");
        }, onError: OnError.DeadLetter);

        Assert.Equal(["2 2 of 1", "2 1 of 2"], rig.Give(("a2", 1), ("a9!", 2), ("a8x", 3), ("b5!", 4), ("a1", 5)));
        Assert.Equal(3, rig.Letters.Records.Count);
        Assert.Equal(1, rig.Scope.Table.KeyCount);
    }

    [Fact]
    public void A_fold_that_throws_changes_nothing_and_is_the_records_fault()
    {
        var picky = new ReducingState<int>("picky", static (have, item) => item == 0 ? throw new FormatException("zero") : have / item);
        var rig = new KeyedRig([picky], (record, ref context) =>
        {
            context.Add(picky, Number(record));
            context.Emit($"{context.Get(picky)}");
        }, onError: OnError.DeadLetter);

        Assert.Equal(["12", "4"], rig.Give(("a12", 1), ("a0", 2), ("a3", 3)));
        Assert.Equal("FormatException: zero", Assert.Single(rig.Letters.Values).Error);
    }

    private static int Number(string record) => int.Parse(record.AsSpan(1), CultureInfo.InvariantCulture);

    private sealed class MeanOf : AggregateFunction<int, (int Count, int Sum), string>
    {
        public override (int Count, int Sum) Create() => default;

        public override void Add(ref (int Count, int Sum) accumulator, in int record) => accumulator = (accumulator.Count + 1, accumulator.Sum + record);

        public override string Result(in (int Count, int Sum) accumulator) => $"{accumulator.Sum / accumulator.Count} of {accumulator.Count}";
    }
}
