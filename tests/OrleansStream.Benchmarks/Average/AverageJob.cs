using OrleansStream.Benchmarks.Input;
using OrleansStream.Benchmarks.Processes;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Windows;

namespace OrleansStream.Benchmarks.Average;

/// <summary>The average of a key and window.</summary>
internal sealed class MeanAggregate : AggregateFunction<Reading, Total, double>
{
    public override Total Create() => default;

    public override void Add(ref Total accumulator, in Reading record) => accumulator.Add(record.Value);

    public override void Merge(ref Total accumulator, in Total later) => accumulator.Add(later);

    public override double Result(in Total accumulator) => accumulator.Sum / accumulator.Count;
}

/// <summary>The engine: an embedded silo.</summary>
internal sealed class AverageJob(Func<RunSettings, RecordInput<Reading>> input) : IContender, ISpreadJob
{
    public string Name => "orleansstream";

    public string Description => "source -> event time -> key by -> 1 s tumbling window -> sink, in one embedded silo";

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var (define, answer) = Make(settings);
        var checkpoints = await EmbeddedSilo.RunAsync(settings, define);
        return new Outcome(answer(), checkpoints);
    }

    public (Action<JobGraph> Define, Func<Answer> Answer) Make(RunSettings settings)
    {
        var sink = new AnswerSink<WindowResult<string, double>>(Reading.AnswerOf);
        var records = input(settings);
        return (
            graph => graph
                .From("readings", new InputSource<Reading>(records, settings.Events, settings.Parallelism))
                .WithTimestamps(TimeSpan.FromMilliseconds(Reading.MaxOutOfOrdernessMs))
                .KeyBy(static reading => reading.Sensor)
                .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(Reading.WindowMs)))
                .Aggregate("average", new MeanAggregate())
                .To("answer", sink),
            () => sink.Answer);
    }

    public Routes RoutesOf(RunSettings settings) => Routes.Of(input(settings), settings, static reading => reading.Sensor);
}
