using OrleansStream.Stages;

namespace OrleansStream.Functions;

/// <summary>Runs a <see cref="KeyedFunction{TKey, TIn, TOut}"/> over the records and timers of the keys of one subtask.</summary>
internal sealed class KeyedOperator<TKey, TIn, TOut> : Operator<TIn>, IResumable, IKeyedTimers<TKey, TOut>
    where TKey : notnull
{
    private readonly Func<TIn, TKey> _key;
    private readonly KeyedFunction<TKey, TIn, TOut> _function;
    private readonly KeyedScope<TKey, TOut> _scope;
    private readonly KeyedRun<TKey, TOut> _run;
    private readonly Failures<TIn> _failures;

    public KeyedOperator(SubtaskContext context, Func<TIn, TKey> key, KeyedFunction<TKey, TIn, TOut> function, KeyedScope<TKey, TOut> scope, Failures<TIn> failures)
    {
        _key = key;
        _function = function;
        _scope = scope;
        _run = new KeyedRun<TKey, TOut>(context, scope, this);
        _failures = failures;
    }

    public bool HasPending => _run.HasPending;

    public override long? NextTime => _scope.NextTime;

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        _run.Open();
        return ValueTask.CompletedTask;
    }

    public override void OnRecords(Records<TIn> records) => _run.Process(records, _key, new Step(_function), _failures);

    public override void OnWatermark(long watermark)
    {
        _run.Take(watermark);
        Resume();
    }

    public void Resume()
    {
        if (_run.TryPass(out var watermark)) _failures.Watermark(watermark);
    }

    public override void OnTime() => _run.OnTime();

    public void OnEventTimer(long at, ref KeyedContext<TKey, TOut> context) => _function.OnEventTimer(at, ref context);

    public void OnProcessingTimer(long at, ref KeyedContext<TKey, TOut> context) => _function.OnProcessingTimer(at, ref context);

    public void OnEndOfTime()
    {
    }

    private readonly struct Step(KeyedFunction<TKey, TIn, TOut> function) : IKeyedStep<TKey, TIn, TOut>
    {
        public void Process(in TIn record, ref KeyedContext<TKey, TOut> context) => function.Process(in record, ref context);
    }
}
