using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Changes;

/// <summary>Follows the first rows of a key where rows only come: no more than those are kept.</summary>
internal sealed class TopInserts<TKey, T, TBy, TOut>(int most, RowOrder<T, TBy> order, TopChanges<T, TOut> changes) : KeyedFunction<TKey, T, Change<TOut>>
    where TKey : notnull
{
    internal static readonly ListState<T> Rows = new("rows");

    public override IReadOnlyList<StateDeclaration> States => [Rows];

    public override void Process(in T row, ref KeyedContext<TKey, Change<TOut>> context)
    {
        var rows = context.Items(Rows);
        var place = order.PlaceOf(rows, row);
        if (place >= most) return;
        var after = RowOrder<T, TBy>.With(rows.Length == most ? rows[..^1] : rows, place, row);
        changes.Came(rows, after, place, ref context);
        context.Replace(Rows, after);
    }
}

/// <summary>Follows the first rows of a key where rows come and go: all rows that are there are kept, for each may come among the first.</summary>
internal sealed class TopRetractions<TKey, T, TBy, TOut>(int most, RowOrder<T, TBy> order, TopChanges<T, TOut> changes) : KeyedFunction<TKey, Change<T>, Change<TOut>>
    where TKey : notnull
{
    private static readonly ListState<T> Rows = new("rows");

    public override IReadOnlyList<StateDeclaration> States => [Rows];

    public override void Process(in Change<T> change, ref KeyedContext<TKey, Change<TOut>> context)
    {
        var rows = context.Items(Rows);
        var place = change.IsRetraction ? order.Find(rows, change.Value) : order.PlaceOf(rows, change.Value);
        if (place < 0) throw ResultChange.NotThere(change);
        var after = change.IsRetraction ? RowOrder<T, TBy>.Without(rows, place) : RowOrder<T, TBy>.With(rows, place, change.Value);
        if (place < most)
        {
            var first = rows[..Math.Min(most, rows.Length)];
            var firstAfter = after.AsSpan(0, Math.Min(most, after.Length));
            if (change.IsRetraction) changes.Went(first, firstAfter, place, ref context);
            else changes.Came(first, firstAfter, place, ref context);
        }

        context.Replace(Rows, after);
    }
}

/// <summary>Tells how the first rows of a key change. The spans hold those rows only, as they were and as they are.</summary>
internal abstract class TopChanges<T, TOut>
{
    /// <summary>A row came to a place; when there were as many as may be, the last of them is out.</summary>
    public abstract void Came<TKey>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int place, ref KeyedContext<TKey, Change<TOut>> context)
        where TKey : notnull;

    /// <summary>The row of a place went; when another moved up, it is the last now.</summary>
    public abstract void Went<TKey>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int place, ref KeyedContext<TKey, Change<TOut>> context)
        where TKey : notnull;
}

/// <summary>
/// Tells which rows are among the first, and not where.
/// Source: Flink's AppendOnlyTopNFunction and RetractableTopNFunction without rank number.
/// </summary>
internal sealed class TopMembers<T> : TopChanges<T, T>
{
    public override void Came<TKey>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int place, ref KeyedContext<TKey, Change<T>> context)
    {
        if (after.Length == before.Length) context.Emit(Change.Delete(before[^1]));
        context.Emit(Change.Insert(after[place]));
    }

    public override void Went<TKey>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int place, ref KeyedContext<TKey, Change<T>> context)
    {
        var moves = after.Length == before.Length;
        if (moves && EqualityComparer<T>.Default.Equals(before[place], after[^1])) return;
        context.Emit(Change.Delete(before[place]));
        if (moves) context.Emit(Change.Insert(after[^1]));
    }
}

/// <summary>
/// Tells which row has each rank. A rank whose row stays equal is not told.
/// Source: the same functions with rank number.
/// </summary>
internal sealed class TopRanks<T> : TopChanges<T, Ranked<T>>
{
    public override void Came<TKey>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int place, ref KeyedContext<TKey, Change<Ranked<T>>> context) => Tell(before, after, place, ref context);

    public override void Went<TKey>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int place, ref KeyedContext<TKey, Change<Ranked<T>>> context) => Tell(before, after, place, ref context);

    private static void Tell<TKey>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int place, ref KeyedContext<TKey, Change<Ranked<T>>> context)
        where TKey : notnull
    {
        for (; place < before.Length && place < after.Length; place++)
        {
            if (EqualityComparer<T>.Default.Equals(before[place], after[place])) continue;
            context.Emit(Change.UpdateBefore(new Ranked<T>(place + 1, before[place])));
            context.Emit(Change.UpdateAfter(new Ranked<T>(place + 1, after[place])));
        }

        if (place < before.Length) context.Emit(Change.Delete(new Ranked<T>(place + 1, before[place])));
        if (place < after.Length) context.Emit(Change.Insert(new Ranked<T>(place + 1, after[place])));
    }
}
