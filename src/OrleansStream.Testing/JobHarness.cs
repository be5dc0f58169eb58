using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Time;

namespace OrleansStream.Testing;

/// <summary>
/// Runs a job's graph, or one function in a graph made for it, in the calling thread: the engine's own subtasks, channels, state and snapshots, without silos, and in virtual time
/// only. The test feeds <see cref="TestInput{T}"/>s, lets the job run, saves and restores it at any moment and at any parallelism, and reads <see cref="TestOutput{T}"/>s, state,
/// timers and watermarks.
/// </summary>
/// <remarks>
/// For one caller, one call at a time. What a job does here it does in a cluster, for given inputs; what is left to chance there has one order here: subtasks take their turns
/// one after another, from sources to sinks, and each goes on until it has nothing to do. A method that throws what the job's code threw leaves a harness that has failed: as an
/// attempt would have, it only goes on from its last checkpoint, by <see cref="CrashAsync"/>.
/// </remarks>
public sealed partial class JobHarness : IAsyncDisposable
{
    private readonly Func<JobPlan> _plan;
    private readonly HarnessOptions _options;
    private readonly IServiceProvider _services;
    private readonly HarnessSegments _segments = new();
    private HarnessAttempt _attempt;

    private JobHarness(Func<int, IServiceProvider, JobPlan> plan, HarnessOptions options)
    {
        _options = options;
        _services = Services(options);
        Parallelism = options.Parallelism;
        ProcessingTime = options.ProcessingTime;
        _plan = () => plan(Parallelism, _services);
        _attempt = new HarnessAttempt(_plan(), new Attempt(1), _services, _segments);
    }

    /// <summary>Subtasks of each stage.</summary>
    public int Parallelism { get; private set; }

    /// <summary>The clock, in milliseconds since 1970. It stands still but for <see cref="AdvanceProcessingTimeAsync(long)"/>.</summary>
    public long ProcessingTime { get; private set; }

    /// <summary>Whether all input has ended and everything that came of it is written.</summary>
    public bool HasEnded => _attempt.HasEnded;

    /// <summary>How often the job was started: once, and once more for each restore and crash.</summary>
    public int Attempts => _attempt.Number.Number;

    /// <summary>Builds a graph and opens its operators. Nothing is read yet.</summary>
    /// <param name="define">Makes the graph: called now and at each restore, as every silo does.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="JobRefusedException">The graph is wrong; the message has every problem with its place.</exception>
    public static Task<JobHarness> StartAsync(Action<JobGraph> define, HarnessOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(define);
        return StartAsync(new DefinedJob(define), options);
    }

    /// <summary>Builds a job's graph and opens its operators. Nothing is read yet.</summary>
    /// <param name="job">The job, as it is registered with a silo.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="JobRefusedException">The graph is wrong; the message has every problem with its place.</exception>
    public static async Task<JobHarness> StartAsync(IStreamJob job, HarnessOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(job);
        options ??= new HarnessOptions();
        var arguments = options.Arguments ?? JobArguments.None;
        var harness = new JobHarness((parallelism, services) => JobPlan.Create("test", job, arguments, parallelism, options.MaxParallelism, services), options);
        foreach (var output in harness._attempt.Outputs) output.Begin();
        await harness._attempt.OpenAsync(harness.ProcessingTime);
        return harness;
    }

    /// <summary>Lets the job process everything that it was given, until it rests.</summary>
    /// <exception cref="StreamException">A function threw; the message has its coordinates.</exception>
    public Task RunAsync() => _attempt.RunAsync(ProcessingTime);

    /// <summary>
    /// Lets the job go on until it rests and no record waits for the answer to an asynchronous call. <see cref="RunAsync"/> does not await calls: it leaves them in flight, as a test of restores or
    /// time-outs wants them.
    /// </summary>
    /// <exception cref="StreamException">A function threw, or a call failed; the message has its coordinates.</exception>
    public Task SettleAsync() => _attempt.SettleAsync(ProcessingTime);

    /// <summary>Lets the clock go on: whatever falls due by then happens at its own time, in order.</summary>
    /// <param name="to">The time to stop at, in milliseconds since 1970.</param>
    public async Task AdvanceProcessingTimeAsync(long to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(to, ProcessingTime);
        await RunAsync();
        while (_attempt.NextTime(ProcessingTime) is { } due && due <= to)
        {
            Pass(Math.Max(due, ProcessingTime + 1));
            await RunAsync();
        }

        Pass(to);
        await RunAsync();
    }

    /// <inheritdoc cref="AdvanceProcessingTimeAsync(long)"/>
    /// <param name="by">For how long; whole milliseconds.</param>
    public Task AdvanceProcessingTimeAsync(TimeSpan by) => AdvanceProcessingTimeAsync(EventTime.Plus(ProcessingTime, (long)by.TotalMilliseconds));

    /// <summary>Lets the job run until it rests, and takes a checkpoint: every fifth of them whole, the others of what has changed.</summary>
    public async Task CheckpointAsync()
    {
        await RunAsync();
        await _attempt.CheckpointAsync(ProcessingTime);
    }

    /// <summary>Takes a checkpoint, ends the job, and starts it again from there.</summary>
    /// <param name="parallelism">The parallelism from now on; as it was when null.</param>
    public async Task RestoreAsync(int? parallelism = null)
    {
        await CheckpointAsync();
        await RestartAsync(parallelism);
    }

    /// <summary>Ends the job where it stands, and starts it again from its last checkpoint, or from the beginning when there is none: what came after is read and done again.</summary>
    /// <param name="parallelism">The parallelism from now on; as it was when null.</param>
    public Task CrashAsync(int? parallelism = null) => RestartAsync(parallelism);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _attempt.DisposeAsync();

    private void Pass(long to)
    {
        _attempt.Pass(to - ProcessingTime);
        ProcessingTime = to;
    }

    private async Task RestartAsync(int? parallelism)
    {
        await _attempt.DisposeAsync();
        Parallelism = parallelism ?? Parallelism;
        _attempt = new HarnessAttempt(_plan(), _attempt.Number.Next, _services, _segments);
        foreach (var output in _attempt.Outputs) output.TakeBack();
        await _attempt.OpenAsync(ProcessingTime);
    }

    private static IServiceProvider Services(HarnessOptions options)
    {
        if (options.ConfigureServices is not { } configure) return TestSerializers.Services;
        var services = new ServiceCollection().AddSerializer();
        configure(services);
        return services.BuildServiceProvider();
    }
}
