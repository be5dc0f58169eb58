using OrleansStream.Benchmarks.Input;
using OrleansStream.Benchmarks.Processes;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Aggregate;

/// <summary>A running count and sum per key; nothing is emitted while records flow, the totals of a sample of keys at the end of input.</summary>
internal sealed class RunningTotal(int sampleMask) : KeyedFunction<int, Amount, KeyTotal>
{
    /// <summary>Beyond all records: the last millisecond of the calendar.</summary>
    private const long AtTheEnd = 253_402_300_799_999;

    private static readonly ValueState<Total> State = new("total");

    public override IReadOnlyList<StateDeclaration> States => [State];

    public override void Process(in Amount record, ref KeyedContext<int, KeyTotal> context)
    {
        var total = context.Get(State);
        if (total.Count == 0 && (context.Key & sampleMask) == 0) context.RegisterEventTimer(AtTheEnd);
        total.Add(record.Value);
        context.Set(State, total);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<int, KeyTotal> context)
    {
        var total = context.Get(State);
        context.Emit(new KeyTotal(context.Key, total.Count, total.Sum));
    }
}

/// <summary>The engine: an embedded silo.</summary>
internal sealed class AggregateJob(Func<RunSettings, RecordInput<Amount>> input) : IContender, ISpreadJob
{
    public string Name => "orleansstream";

    public string Description => "source -> event time -> key by -> function with one value state -> sink, in one embedded silo";

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var (define, answer) = Make(settings);
        var checkpoints = await EmbeddedSilo.RunAsync(settings, define);
        return new Outcome(answer(), checkpoints);
    }

    public (Action<JobGraph> Define, Func<Answer> Answer) Make(RunSettings settings)
    {
        var sink = new AnswerSink<KeyTotal>(static total => total.ToAnswer());
        var records = input(settings);
        var mask = KeyTotal.SampleMask(settings.Keys);
        return (
            graph => graph
                .From("amounts", new InputSource<Amount>(records, settings.Events, settings.Parallelism))
                .WithTimestamps(TimeSpan.Zero)
                .KeyBy(static amount => amount.Key)
                .Process("total", _ => new RunningTotal(mask))
                .To("answer", sink),
            () => sink.Answer);
    }

    public Routes RoutesOf(RunSettings settings) => Routes.Of(input(settings), settings, static amount => amount.Key);
}
