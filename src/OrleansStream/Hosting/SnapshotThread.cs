using System.Collections.Concurrent;
using OrleansStream.Stages;

namespace OrleansStream.Hosting;

/// <summary>
/// Encodes frozen snapshots on one thread of its own, one piece of work after the other, in the order of asking: encoding is long work for the processor, and on the thread
/// pool as many encodings as there are cores would leave no thread to the subtasks. The operating system shares the cores between this thread and the pool's.
/// </summary>
internal sealed class SnapshotThread : IOffload, IDisposable
{
    private readonly BlockingCollection<Action> _work = [];

    public SnapshotThread() => new Thread(Run) { IsBackground = true, Name = "OrleansStream snapshots" }.Start();

    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (OperationCanceledException cancelled)
            {
                done.SetCanceled(cancelled.CancellationToken);
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>Ends the thread behind what was asked for.</summary>
    public void Dispose() => _work.CompleteAdding();

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable()) work();
    }
}
