using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>Folds records into the accumulators of a window table.</summary>
internal static class WindowFold
{
    /// <summary>Folds a record in place: for operators whose attempt ends when that throws.</summary>
    public static void Fold<TKey, TIn, TAccumulator, TResult>(
        this WindowTable<TKey, TAccumulator> table, AggregateFunction<TIn, TAccumulator, TResult> aggregate, int slot, in TIn record, bool added)
        where TKey : notnull
    {
        ref var accumulator = ref table.GetRefForWrite(slot);
        if (added) accumulator = aggregate.Create();
        aggregate.Add(ref accumulator, in record);
    }

    /// <summary>What a record would make of an accumulator, which stays as it is: a record at which that throws leaves nothing behind.</summary>
    public static TAccumulator Folded<TKey, TIn, TAccumulator, TResult>(
        this WindowTable<TKey, TAccumulator> table, AggregateFunction<TIn, TAccumulator, TResult> aggregate, int slot, in TIn record, bool added)
        where TKey : notnull
    {
        var copy = added ? aggregate.Create() : table.Read(slot);
        aggregate.Add(ref copy, in record);
        return copy;
    }
}

/// <summary>A function of a window that threw, with its coordinates.</summary>
internal static class WindowFailure
{
    public static FunctionException Of<TKey>(SubtaskContext context, string name, TKey key, string window, string what, Exception error) => new(
        $"Job '{context.Job}', stage '{context.Stage}', operator '{name}', subtask {context.Id.Index}, key '{key}', window {window}: {what} threw {error.GetType().Name}: {error.Message}",
        error);
}
