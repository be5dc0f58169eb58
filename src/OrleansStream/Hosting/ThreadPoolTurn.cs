using System.Threading.Tasks.Sources;
using OrleansStream.Stages;

namespace OrleansStream.Hosting;

/// <summary>
/// Turns in the order of asking, over all subtasks of the process: through the thread pool's global queue. Orleans schedules an activation on the queue of the thread
/// at hand, last in first out; two subtasks that feed each other would keep a thread between them, and a third one on the same queue would wait until another thread
/// has nothing else to do.
/// </summary>
internal sealed class ThreadPoolTurn : ITurn, IValueTaskSource, IThreadPoolWorkItem
{
    // Its continuation goes back to the scheduler of the activation that awaits it.
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };

    public ValueTask NextAsync()
    {
        _core.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return new ValueTask(this, _core.Version);
    }

    void IThreadPoolWorkItem.Execute() => _core.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
