using OrleansStream.Stages;

namespace OrleansStream.Functions;

/// <summary>What operators of two inputs with keyed state share: their records against the same keys, and the timers.</summary>
internal abstract class KeyedTwoInputOperator<TKey, TFirst, TSecond, TOut> : TwoInputOperator<TFirst, TSecond>, IResumable, IKeyedTimers<TKey, TOut>
    where TKey : notnull
{
    protected KeyedTwoInputOperator(SubtaskContext context, KeyedScope<TKey, TOut> scope, Failures<TFirst> firstFailures, Failures<TSecond> secondFailures)
    {
        Context = context;
        Scope = scope;
        Run = new KeyedRun<TKey, TOut>(context, scope, this);
        FirstFailures = firstFailures;
        SecondFailures = secondFailures;
    }

    public bool HasPending => Run.HasPending;

    public override long? NextTime => Scope.NextTime;

    protected SubtaskContext Context { get; }

    protected KeyedScope<TKey, TOut> Scope { get; }

    protected KeyedRun<TKey, TOut> Run { get; }

    protected Failures<TFirst> FirstFailures { get; }

    protected Failures<TSecond> SecondFailures { get; }

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        Run.Open();
        return ValueTask.CompletedTask;
    }

    public override void OnWatermark(long watermark)
    {
        Run.Take(watermark);
        Resume();
    }

    public void Resume()
    {
        if (!Run.TryPass(out var watermark))
        {
            FlushFailures();
            return;
        }

        FirstFailures.Watermark(watermark);
        if (!ReferenceEquals(FirstFailures, SecondFailures)) SecondFailures.Watermark(watermark);
    }

    public override void OnTime()
    {
        Run.OnTime();
        FlushFailures();
    }

    public abstract void OnEventTimer(long at, ref KeyedContext<TKey, TOut> context);

    public abstract void OnProcessingTimer(long at, ref KeyedContext<TKey, TOut> context);

    public virtual void OnEndOfTime()
    {
    }

    /// <summary>A timer may have found out that records fail, which came long before.</summary>
    private void FlushFailures()
    {
        FirstFailures.Flush();
        SecondFailures.Flush();
    }
}
