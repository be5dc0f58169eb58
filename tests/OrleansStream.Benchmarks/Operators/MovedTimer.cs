using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>A timer per key that each record moves on: it fires when the key has been silent for a time.</summary>
internal sealed class MovedTimer(long delayMs) : KeyedFunction<int, Amount, Answer>
{
    private static readonly ValueState<long> Due = new("due");

    public override IReadOnlyList<StateDeclaration> States => [Due];

    public override void Process(in Amount record, ref KeyedContext<int, Answer> context)
    {
        var (before, due) = (context.Get(Due), context.Timestamp + delayMs);
        if (due <= before) return;
        if (before > 0) context.DeleteEventTimer(before);
        context.RegisterEventTimer(due);
        context.Set(Due, due);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<int, Answer> context)
    {
        context.Clear(Due);
        context.Emit(TimersLoop.AnswerOf(context.Key, timestamp));
    }
}
