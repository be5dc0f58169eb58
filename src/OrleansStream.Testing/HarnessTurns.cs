using System.Collections.Concurrent;

namespace OrleansStream.Testing;

/// <summary>Takes what comes from outside, on whatever thread, to be done in the thread that runs the harness: as the scheduler of a subtask's grain does.</summary>
internal sealed class HarnessTurns : SynchronizationContext
{
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _turns = new();
    private readonly SemaphoreSlim _arrived = new(0);

    public override void Post(SendOrPostCallback d, object? state)
    {
        _turns.Enqueue((d, state));
        _arrived.Release();
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing in a job waits for a turn.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Does something in this context.</summary>
    public void Run(Action act)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            act();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>Does what has arrived; false when nothing has.</summary>
    public bool TakeAll()
    {
        var any = false;
        while (_turns.TryDequeue(out var turn))
        {
            any = true;
            turn.Callback(turn.State);
        }

        return any;
    }

    /// <summary>Completes when something has arrived since it last did.</summary>
    public Task NextAsync() => _arrived.WaitAsync();
}
