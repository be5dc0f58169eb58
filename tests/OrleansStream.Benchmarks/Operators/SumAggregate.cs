using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Input;
using OrleansStream.Functions;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>Count and sum.</summary>
internal sealed class SumAggregate : AggregateFunction<Amount, Total, Total>
{
    public override Total Create() => default;

    public override void Add(ref Total accumulator, in Amount record) => accumulator.Add(record.Value);

    public override void Merge(ref Total accumulator, in Total later) => accumulator.Add(later);

    public override Total Result(in Total accumulator) => accumulator;
}
