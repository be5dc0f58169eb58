using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansStream.ClusterTests.Faults;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.ClusterTests.Jobs;

/// <summary>The first snapshots are read back before anybody needs them.</summary>
public sealed class RehearsalTests : IDisposable
{
    private const long Records = 30_000;

    private readonly LogRecorder _log = new();

    private List<string> Reports => [.. _log.At(LogLevel.Error).Where(static line => line.Contains("cannot be read back", StringComparison.Ordinal))];

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Every_silo_reads_the_first_snapshot_of_each_stage_back_once()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await StartAsync(folder, (graph, _) => SequenceJob.Define(graph, Records, results));
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = Records / 5 });

        var status = await cluster.WaitAsync(status => status.Stages.Count > 0 && MadeBy(cluster).All(made => made >= status.Stages.Count));
        await cluster.WaitAsync(status => status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 5);

        Assert.All(MadeBy(cluster), made => Assert.Equal(status.Stages.Count, made));
        Assert.Equal(JobPhase.Finished, (await cluster.EndAsync()).Phase);
        Assert.Equal(SequenceJob.Expected(Records), results.Committed.OrderBy(static counted => counted.Key));
        Assert.Empty(Reports);
    }

    [Fact]
    public async Task State_that_cannot_be_read_back_is_reported_while_the_job_goes_on()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<long>();
        await using var cluster = await StartAsync(folder, (graph, _) => graph
            .From("numbers", Generator.Of(static n => n, Records, splits: 2))
            .KeyBy(static n => n % 40)
            .Process("keep", static _ => new Keep())
            .To("results", results));

        var status = await cluster.RunAsync(2, recordsPerSecond: Records / 3);

        Assert.Equal((JobPhase.Finished, 0, null), (status.Phase, status.Failures, status.Cause));
        Assert.Equal(Records, results.Committed.Count);
        Assert.Equal(2, Reports.Count);
        Assert.All(Reports, static report => Assert.Matches("the value state 'brittle' of operator 'keep'.*cannot be made again", report));
    }

    private static IEnumerable<int> MadeBy(TestSilos cluster) => cluster.AllServices.Select(static services => services.GetRequiredService<Rehearsals>().Made);

    private Task<TestSilos> StartAsync(TestFolder folder, Action<JobGraph, JobArguments> job) => TestSilos.StartAsync(
        folder["checkpoints"],
        silos: 2,
        configure: null,
        builder =>
        {
            _log.AddTo(builder);
            builder.Services.AddSingleton<BrittleHooks>();
            builder.Services.AddSingleton(new JobRegistration("job", _ => new LambdaJob(job), null));
        });

    private sealed class Keep : KeyedFunction<long, long, long>
    {
        private static readonly ValueState<Brittle> Value = new("brittle");

        public override IReadOnlyList<StateDeclaration> States => [Value];

        public override void Process(in long record, ref KeyedContext<long, long> context)
        {
            context.Set(Value, new Brittle(record));
            context.Emit(record);
        }
    }
}

/// <summary>A value that its own code refuses to make again.</summary>
[GenerateSerializer, Immutable, SerializationCallbacks(typeof(BrittleHooks))]
internal sealed record Brittle([property: Id(0)] long Number);

internal sealed class BrittleHooks
{
    private readonly string _problem = "cannot be made again";

    public void OnDeserialized(Brittle value) => throw new InvalidOperationException($"{value.Number} {_problem}.");
}
