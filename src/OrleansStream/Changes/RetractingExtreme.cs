using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Changes;

/// <summary>The smallest or largest value of the rows of a key that are there. All their values are kept, in order: the next one counts when one goes.</summary>
internal sealed class RetractingExtreme<TKey, T, TValue>(Func<T, TValue> select, bool isMax) : KeyedFunction<TKey, Change<T>, Change<KeyedResult<TKey, TValue>>>
    where TKey : notnull
{
    private static readonly ListState<TValue> Values = new("values");

    private readonly RowOrder<TValue, TValue> _order = new(static value => value, isMax);

    public override IReadOnlyList<StateDeclaration> States => [Values];

    public override void Process(in Change<T> change, ref KeyedContext<TKey, Change<KeyedResult<TKey, TValue>>> context)
    {
        var values = context.Items(Values);
        var value = select(change.Value);
        var place = change.IsRetraction ? _order.Find(values, value) : _order.PlaceOf(values, value);
        if (place < 0) throw ResultChange.NotThere(change);
        var after = change.IsRetraction ? RowOrder<TValue, TValue>.Without(values, place) : RowOrder<TValue, TValue>.With(values, place, value);
        ResultChange.Tell(values.Length > 0, values.Length > 0 ? values[0] : default!, after.Length > 0, after.Length > 0 ? after[0] : default!, ref context);
        context.Replace(Values, after);
    }
}
