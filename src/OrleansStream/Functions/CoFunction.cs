namespace OrleansStream.Functions;

/// <summary>
/// A function over the records of two streams without keys. Created per subtask by a factory; calls come one at a time, in no order between the two streams. It is synchronous and
/// must not keep anything: fields are lost in a restart.
/// </summary>
/// <typeparam name="TFirst">The type of a record of the first stream.</typeparam>
/// <typeparam name="TSecond">The type of a record of the second stream.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public abstract class CoFunction<TFirst, TSecond, TOut>
{
    /// <summary>Takes one record of the first stream.</summary>
    public abstract void ProcessFirst(in TFirst record, ref FunctionContext<TOut> context);

    /// <summary>Takes one record of the second stream.</summary>
    public abstract void ProcessSecond(in TSecond record, ref FunctionContext<TOut> context);
}
