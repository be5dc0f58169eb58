using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;
using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Testing.Simulation;

/// <summary>Virtual time, and what a job does that is not simulated.</summary>
public sealed class SimulatedTimeTests
{
    private static readonly SimulationOptions Paced = new()
    {
        CheckpointInterval = TimeSpan.FromSeconds(2),
        Accidents = Accidents.Usual with { Until = TimeSpan.FromMinutes(2) },
        Sources = { ["numbers"] = new SimulatedSource<int>(Enumerable.Range(0, 180)) { Pace = TimeSpan.FromSeconds(1) } },
    };

    [Fact]
    public async Task Processing_time_timers_fire_in_virtual_time_and_once_however_the_run_is_broken()
    {
        var totals = await ClusterSimulation.ForSeedsAsync(1..31, static _ => new DefinedByTest(Timers), Paced, static outcome =>
        {
            var fired = outcome.Output<(int Number, long DelayMs)>("fired");
            Assert.Equal(Enumerable.Range(0, 150), fired.Select(static timer => timer.Number).Where(static number => number < 150).Order());
            Assert.All(fired, static timer => Assert.InRange(timer.DelayMs, 10_000, long.MaxValue));
        });
        Assert.True(totals.Restores > 15, $"The job was hardly ever restarted: {totals}");

        var calm = await ClusterSimulation.RunAsync(Timers, Paced with { Accidents = Accidents.None });
        Assert.All(calm.Output<(int Number, long DelayMs)>("fired"), static timer => Assert.InRange(timer.DelayMs, 10_000, 10_050));
    }

    [Fact]
    public async Task A_wait_on_the_clock_of_the_services_is_simulated()
    {
        var outcome = await ClusterSimulation.RunAsync(
            Slow(static (clock, cancellation) => Task.Delay(TimeSpan.FromMinutes(10), clock, cancellation)),
            new SimulationOptions { Patience = TimeSpan.FromHours(1), CheckpointInterval = TimeSpan.FromSeconds(30) });

        Assert.Equal(Enumerable.Range(0, 5), outcome.Output<int>("out").Order());
        Assert.Contains(outcome.Log, static line => double.Parse(line.AsSpan()[..line.IndexOf("ms", StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture) > 600_000);
    }

    [Fact]
    public async Task A_wait_that_ends_on_another_thread_is_found()
    {
        var found = await Assert.ThrowsAsync<SimulationException>(() => ClusterSimulation.RunAsync(Slow(static async (_, _) => await new OtherThread()), new SimulationOptions()));

        Assert.Contains("came from another thread", found.Message, StringComparison.Ordinal);
        Assert.Contains("The promise: all that a job waits for is simulated", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_throws_in_every_attempt_is_told_with_its_place()
    {
        var found = await Assert.ThrowsAsync<SimulationException>(() => ClusterSimulation.RunAsync(
            static graph => graph.From("numbers", Collections.From([0])).Select(static number => 1 / number).To("out", new CountingSink<int>()),
            new SimulationOptions { Accidents = Accidents.None, Patience = TimeSpan.FromSeconds(5) }));

        Assert.Contains("liveness: the job has not ended 5 s after the last fault", found.Message, StringComparison.Ordinal);
        Assert.Contains("DivideByZeroException", found.Message, StringComparison.Ordinal);
    }

    private static void Timers(JobGraph graph) => graph
        .From("numbers", Collections.From(Array.Empty<int>()))
        .KeyBy(static number => number)
        .Process("timers", static services => new Timer(services.GetService<TimeProvider>()))
        .To("fired", new CountingSink<(int Number, long DelayMs)>());

    private static Func<IServiceProvider, IStreamJob> Slow(Func<TimeProvider, CancellationToken, Task> wait) => services => new DefinedByTest(graph => graph
        .From("numbers", new SlowSource(services.GetRequiredService<TimeProvider>(), wait))
        .To("out", new CountingSink<int>()));

    /// <summary>Fires ten seconds after each number.</summary>
    private sealed class Timer(TimeProvider? clock) : KeyedFunction<int, int, (int Number, long DelayMs)>
    {
        private static readonly ValueState<long> Came = new("came");

        public override IReadOnlyList<StateDeclaration> States => [Came];

        public override void Process(in int number, ref KeyedContext<int, (int Number, long DelayMs)> context)
        {
            Assert.InRange(clock!.GetUtcNow().ToUnixTimeMilliseconds() - context.ProcessingTime, 0, 1);
            context.Set(Came, context.ProcessingTime);
            context.RegisterProcessingTimer(context.ProcessingTime + 10_000);
        }

        public override void OnProcessingTimer(long timestamp, ref KeyedContext<int, (int Number, long DelayMs)> context) =>
            context.Emit((context.Key, context.ProcessingTime - context.Get(Came)));
    }

    /// <summary>A source of a user's own that waits for something before it is opened.</summary>
    private sealed class SlowSource(TimeProvider clock, Func<TimeProvider, CancellationToken, Task> wait) : Source<int>
    {
        private readonly Source<int> _numbers = Collections.From(Enumerable.Range(0, 5));

        public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) => _numbers.DiscoverAsync(cancellation);

        public override async ValueTask<SplitReader<int>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation) =>
            new Reader(await _numbers.OpenAsync(split, offset, cancellation), () => wait(clock, cancellation));

        private sealed class Reader(SplitReader<int> numbers, Func<Task> wait) : SplitReader<int>
        {
            private bool _hasWaited;

            public override string Position => numbers.Position;

            public override ReadOnlyMemory<byte> SaveOffset() => numbers.SaveOffset();

            public override ReadStatus Read(SourceOutput<int> output) => _hasWaited ? numbers.Read(output) : ReadStatus.Waiting;

            public override async ValueTask WaitAsync(CancellationToken cancellation)
            {
                await wait();
                _hasWaited = true;
            }
        }
    }

    /// <summary>Goes on from a thread of its own, and is there only then.</summary>
    private readonly struct OtherThread : System.Runtime.CompilerServices.INotifyCompletion
    {
        public bool IsCompleted => false;

        public OtherThread GetAwaiter() => this;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation)
        {
            var context = SynchronizationContext.Current!;
            var thread = new Thread(() => context.Post(_ => continuation(), null));
            thread.Start();
            thread.Join();
        }
    }

    private sealed class DefinedByTest(Action<JobGraph> define) : IStreamJob
    {
        public void Define(JobGraph graph, JobArguments args) => define(graph);
    }
}
