using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Exchange;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>
/// Two silos with a job that has a far slower end than its source: looked at behind every few checkpoints, it must hold no more than its channels may, take no more memory, complete its
/// checkpoints and leave no call open.
/// </summary>
internal sealed class PressureRun : IAsyncDisposable
{
    /// <summary>How often it is looked, each time behind another checkpoint.</summary>
    private const int Looks = 6;

    /// <summary>More than a job of a few channels needs besides: its results, and whatever the silos do.</summary>
    private const long HeapRoomBytes = 48 << 20;

    /// <summary>Orleans gives up a call after this time; none may come near.</summary>
    private static readonly TimeSpan OldestCall = TimeSpan.FromSeconds(30);

    private readonly TestFolder _folder = new();
    private readonly CallTimes _calls = new();
    private readonly ITestOutputHelper _output;
    private TestSilos _cluster = null!;

    private PressureRun(ITestOutputHelper output) => _output = output;

    public TestSilos Cluster => _cluster;

    public static async Task<PressureRun> StartAsync(ITestOutputHelper output, int parallelism, Action<JobGraph> job)
    {
        var run = new PressureRun(output);
        run._cluster = await TestSilos.StartAsync(
            run._folder["checkpoints"],
            silos: 2,
            static options =>
            {
                options.Restarts = RestartStrategy.None;
                options.RebalanceAfter = null;
            },
            builder =>
            {
                builder.Services.AddSingleton(new JobRegistration("job", _ => new LambdaJob((graph, _) => job(graph)), null));
                builder.AddOutgoingGrainCallFilter(run._calls);
            });
        await run._cluster.Jobs.StartAsync("job", new JobStart { Parallelism = parallelism });
        return run;
    }

    /// <summary>Looks again and again while the job works.</summary>
    /// <param name="made">How many records the source has made.</param>
    /// <param name="done">How many the slow end has done with.</param>
    /// <param name="channels">The channels between them.</param>
    public async Task RequireBoundedAsync(Func<long> made, Func<long> done, int channels)
    {
        // On each channel a window of full batches, one that is being processed, one that waits and one that is being filled.
        var most = (PlannedStage.ChannelWindow + 3L) * BatchSize.Full * channels;
        var heaps = new List<long>();
        var seen = 0L;
        for (var look = 0; look < Looks; look++)
        {
            var status = await _cluster.WaitAsync(status => Committed(status) > seen);
            seen = Committed(status);
            var finished = done();
            var waiting = made() - finished;
            heaps.Add(GC.GetTotalMemory(forceFullCollection: true));
            var pressure = status.Stages[0].Subtasks.Max(static subtask => subtask.BackPressure);
            _output.WriteLine($"checkpoint {seen}: {finished} done, {waiting} of at most {most} waiting, heap {heaps[^1] >> 10} KiB, back-pressure {pressure:0.00}, longest call {_calls.Longest}, {status.Checkpoints[0]}");
            Assert.InRange(waiting, 1, most);
        }

        // The first look may be before everything is filled.
        Assert.True(heaps[^1] < heaps[1] + HeapRoomBytes, $"The heap grew from {heaps[1]} to {heaps[^1]} bytes.");
        Assert.Equal(JobPhase.Running, (await _cluster.Jobs.GetStatusAsync("job")).Phase);
    }

    /// <summary>Behind the end: no call was open for long.</summary>
    public void RequireShortCalls()
    {
        _output.WriteLine($"{_calls.Count} calls, the longest {_calls.Longest}");
        Assert.True(_calls.Count > 100, "The calls were not measured.");
        Assert.True(_calls.Longest.Time < OldestCall, $"{_calls.Longest}");
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _folder.Dispose();
    }

    private static long Committed(JobStatus status) =>
        status.Checkpoints.Where(static checkpoint => checkpoint.State == "committed").Select(static checkpoint => long.Parse(checkpoint.Id.Split('-')[1], null)).DefaultIfEmpty().Max();
}

/// <summary>Something outside that takes its time for each record, and lets nobody do anything meanwhile.</summary>
/// <param name="perMillisecond">How many records it takes in a millisecond.</param>
internal sealed class SlowPlace(int perMillisecond)
{
    private readonly ManualResetEventSlim _never = new();
    private long _done;

    public long Done => Interlocked.Read(ref _done);

    public void Take()
    {
        if (Interlocked.Increment(ref _done) % perMillisecond == 0) _never.Wait(TimeSpan.FromMilliseconds(1));
    }
}
