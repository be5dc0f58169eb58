using OrleansStream.Stages;

namespace OrleansStream.Functions;

/// <summary>Runs a <see cref="CoFunction{TFirst, TSecond, TOut}"/>.</summary>
internal sealed class CoOperator<TFirst, TSecond, TOut>(
    SubtaskContext context, CoFunction<TFirst, TSecond, TOut> function, FunctionScope<TOut> scope, Failures<TFirst> firstFailures, Failures<TSecond> secondFailures)
    : TwoInputOperator<TFirst, TSecond>
{
    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        scope.Watermark = context.RestoredWatermark;
        return ValueTask.CompletedTask;
    }

    public override void OnWatermark(long watermark)
    {
        scope.Watermark = watermark;
        scope.ForwardWatermark(watermark);
        firstFailures.Watermark(watermark);
        if (!ReferenceEquals(firstFailures, secondFailures)) secondFailures.Watermark(watermark);
    }

    protected override void OnFirst(Records<TFirst> records) => scope.Process(records, new FirstStep(function), firstFailures);

    protected override void OnSecond(Records<TSecond> records) => scope.Process(records, new SecondStep(function), secondFailures);

    private readonly struct FirstStep(CoFunction<TFirst, TSecond, TOut> function) : IStep<TFirst, TOut>
    {
        public void Process(in TFirst record, ref FunctionContext<TOut> context) => function.ProcessFirst(in record, ref context);
    }

    private readonly struct SecondStep(CoFunction<TFirst, TSecond, TOut> function) : IStep<TSecond, TOut>
    {
        public void Process(in TSecond record, ref FunctionContext<TOut> context) => function.ProcessSecond(in record, ref context);
    }
}

/// <summary>Maps the records of either stream.</summary>
internal sealed class SelectEither<TFirst, TSecond, TOut>(Func<TFirst, TOut> first, Func<TSecond, TOut> second) : CoFunction<TFirst, TSecond, TOut>
{
    public override void ProcessFirst(in TFirst record, ref FunctionContext<TOut> context) => context.Emit(first(record));

    public override void ProcessSecond(in TSecond record, ref FunctionContext<TOut> context) => context.Emit(second(record));
}

/// <summary>Maps each record of either stream to any number of records.</summary>
internal sealed class SelectManyOfEither<TFirst, TSecond, TOut>(Func<TFirst, IEnumerable<TOut>> first, Func<TSecond, IEnumerable<TOut>> second)
    : CoFunction<TFirst, TSecond, TOut>
{
    public override void ProcessFirst(in TFirst record, ref FunctionContext<TOut> context)
    {
        foreach (var result in first(record)) context.Emit(result);
    }

    public override void ProcessSecond(in TSecond record, ref FunctionContext<TOut> context)
    {
        foreach (var result in second(record)) context.Emit(result);
    }
}
