using OrleansStream.Checkpoints;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Simulation;

/// <summary>A job with an answer that plain code computes: from all of its input, and for any set of offsets.</summary>
internal abstract class EngineJob(SimulatedRun run, params IReadOnlyList<Input> inputs) : SimulatedJob(run)
{
    /// <summary>The job as the checkers define it, to read checkpoints.</summary>
    public JobPlan Plan => field ??= NewPlan(1, NewServices());

    /// <summary>What is wrong with a checkpoint, given that it should hold the effect of exactly the records before its offsets; null when nothing is.</summary>
    public abstract string? ProblemOf(Cut cut);

    public sealed override string? ProblemOf(Manifest manifest) => ProblemOf(Cut.Read(Run, manifest));

    /// <summary>What is wrong with the output of the whole run; null when nothing is.</summary>
    public abstract override string? ProblemOfOutput();

    /// <summary>What the engine and these jobs throw at themselves is a fault.</summary>
    public sealed override bool IsFault(Exception thrown) =>
        base.IsFault(thrown) || thrown is NullReferenceException or InvalidCastException or IndexOutOfRangeException or KeyNotFoundException;

    /// <summary>Where a sink of the job writes to.</summary>
    protected SimulatedSink<string> SinkOf(string name) => SinkOf<string>(name);

    /// <summary>Everything that is visible of a sink's output.</summary>
    protected IEnumerable<string> OutputOf(string sink) => ((SimulatedTarget<string>)Targets[sink]).Records.Select(static record => record.Value);

    /// <summary>The records of all inputs that are before the cut's offsets and pass the filter.</summary>
    protected IEnumerable<Reading> Before(Cut cut) => inputs.SelectMany(input => input.Before(cut.OffsetOf)).Where(static reading => Passes(reading));

    protected IEnumerable<Reading> All => inputs.SelectMany(static input => input.Before(static _ => long.MaxValue)).Where(static reading => Passes(reading));

    protected DataStream<Reading> ReadingsOf(JobGraph graph, Input input, TimeSpan? idleAfter = null) => graph
        .From(input.Name, new SimulatedInputSource<Reading>(Run, input))
        .WithTimestamps(Bound, idleAfter)
        .Where(static reading => Passes(reading));

    /// <summary>How far records may be out of order and on time.</summary>
    protected static readonly TimeSpan Bound = TimeSpan.FromMilliseconds(50);

    protected const long WindowSize = 100;

    protected static bool Passes(Reading reading) => reading.N % 7 != 3;

    protected static long WindowOf(long at) => at - (at % WindowSize);

    /// <summary>How two bags of lines differ; null when they do not.</summary>
    protected static string? Difference(string what, IEnumerable<string> expected, IEnumerable<string> actual)
    {
        var counts = new Dictionary<string, int>();
        foreach (var line in expected) counts[line] = counts.GetValueOrDefault(line) + 1;
        foreach (var line in actual) counts[line] = counts.GetValueOrDefault(line) - 1;
        var missing = counts.Where(static line => line.Value > 0).Select(static line => line.Key).Order(StringComparer.Ordinal).ToList();
        var surplus = counts.Where(static line => line.Value < 0).Select(static line => line.Key).Order(StringComparer.Ordinal).ToList();
        return missing.Count + surplus.Count == 0 ? null
            : $"{what}: {missing.Count} missing ({string.Join(", ", missing.Take(4))}), {surplus.Count} too many ({string.Join(", ", surplus.Take(4))})";
    }

    /// <summary>One of the jobs, by the seed.</summary>
    public static EngineJob Of(int kind, SimulatedRun run)
    {
        var random = run.Random;
        Input Input(string name, int farLateEvery = 0) => new(name, random.Next(1, 5), random.Next(60, 500), random.Next(1, 20), random.Next(), Disorder: 40, farLateEvery);
        return kind switch
        {
            0 => new SequenceJob(run, Input("readings")),
            1 => new WindowJob(run, Input("left"), Input("right")),
            2 => new LateJob(run, Input("readings", farLateEvery: 6), random.Next(2) == 0 ? null : TimeSpan.FromMilliseconds(random.Next(3, 20))),
            3 => new TwoStageJob(run, Input("readings")),
            4 => new AskingJob(run, Input("readings"), random.Next(2) == 0 ? AsyncOrder.Ordered : AsyncOrder.Unordered, isKeyed: random.Next(2) == 0),
            5 => new AlignedJob(run, Input("fast"), Input("slow"), TimeSpan.FromMilliseconds(random.Next(50, 1500))),
            _ => new SpreadJob(run, Input("readings"), isBroadcast: random.Next(2) == 0),
        };
    }

    public const int Kinds = 7;
}

/// <summary>The last record of the same split and key, for each record: what must have been processed just before it.</summary>
internal sealed class Sequences
{
    private readonly Dictionary<(string Source, int Split, long N), long> _before = [];

    public Sequences(IEnumerable<Reading> readings)
    {
        var last = new Dictionary<(string, int, string), long>();
        foreach (var reading in readings)
        {
            var line = (reading.Source, reading.Split, reading.Key);
            _before[(reading.Source, reading.Split, reading.N)] = last.GetValueOrDefault(line, -1);
            last[line] = reading.N;
        }
    }

    public long Before(Reading reading) => _before[(reading.Source, reading.Split, reading.N)];
}
