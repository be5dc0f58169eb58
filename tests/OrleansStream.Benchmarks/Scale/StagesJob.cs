using System.Globalization;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Input;
using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Scale;

/// <summary>A total per key, and each record passed on as it came.</summary>
internal sealed class PassingTotal : KeyedFunction<int, Amount, Amount>
{
    private static readonly ValueState<Total> State = new("total");

    public override IReadOnlyList<StateDeclaration> States => [State];

    public override void Process(in Amount record, ref KeyedContext<int, Amount> context)
    {
        var total = context.Get(State);
        total.Add(record.Value);
        context.Set(State, total);
        context.Emit(record);
    }
}

/// <summary>The engine with a number of keyed stages one after the other, each behind an exchange of its own.</summary>
internal sealed class StagesJob(int stages) : IContender
{
    public string Name => "orleansstream";

    public string Description => "the aggregate job behind stages that keep a total and pass records on";

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var sink = new AnswerSink<KeyTotal>(static total => total.ToAnswer());
        var records = AggregateContest.Input(settings);
        var mask = KeyTotal.SampleMask(settings.Keys);
        var checkpoints = await EmbeddedSilo.RunAsync(settings, graph =>
        {
            var stream = graph.From("amounts", new InputSource<Amount>(records, settings.Events, settings.Parallelism)).WithTimestamps(TimeSpan.Zero);
            for (var stage = 1; stage < stages; stage++)
            {
                stream = stream.KeyBy(static amount => amount.Key).Process(string.Create(CultureInfo.InvariantCulture, $"pass-{stage}"), static _ => new PassingTotal());
            }

            stream.KeyBy(static amount => amount.Key).Process("total", _ => new RunningTotal(mask)).To("answer", sink);
        });
        return new Outcome(sink.Answer, checkpoints);
    }
}
