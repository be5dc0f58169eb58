using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.Watches;

/// <summary>Collects what a job says of its checkpoints while it runs: its status remembers only the latest.</summary>
internal sealed class CheckpointWatch : IAsyncDisposable
{
    private static readonly TimeSpan UsualInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, CheckpointStatus> _seen = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _failure;

    /// <summary>Begins to watch.</summary>
    /// <param name="jobs">Where to ask.</param>
    /// <param name="job">The job's name.</param>
    /// <param name="interval">How often to ask; ten times a second when null.</param>
    public CheckpointWatch(IStreamJobs jobs, string job, TimeSpan? interval = null) => _watching = WatchAsync(jobs, job, interval ?? UsualInterval);

    /// <summary>The checkpoints that are complete, in their order.</summary>
    public IReadOnlyList<CheckpointStatus> Complete
    {
        get
        {
            lock (_lock) return [.. _seen.Values.Where(static checkpoint => checkpoint.State == "committed").OrderBy(static checkpoint => checkpoint.At)];
        }
    }

    /// <summary>Takes what a status says that was got otherwise.</summary>
    public void Add(JobStatus status)
    {
        lock (_lock)
        {
            foreach (var checkpoint in status.Checkpoints) _seen[checkpoint.Id] = checkpoint;
            _news.TrySetResult();
            _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Waits for the first complete checkpoint that began after a time and is as wanted.</summary>
    public async Task<CheckpointStatus> FirstAsync(DateTimeOffset after, Func<CheckpointStatus, bool> wanted)
    {
        while (true)
        {
            Task news;
            lock (_lock)
            {
                if (_failure is { } failure) throw failure;
                news = _news.Task;
            }

            if (Complete.FirstOrDefault(checkpoint => checkpoint.At >= after && wanted(checkpoint)) is { } found) return found;
            await news;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync(IStreamJobs jobs, string job, TimeSpan interval)
    {
        try
        {
            using var timer = new PeriodicTimer(interval);
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var status = await jobs.GetStatusAsync(job);
                if (status.Phase == JobPhase.Failed) throw new InvalidOperationException($"The job failed: {status.Cause}");
                Add(status);
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error)
        {
            lock (_lock)
            {
                _failure = error;
                _news.TrySetResult();
            }
        }
    }
}
