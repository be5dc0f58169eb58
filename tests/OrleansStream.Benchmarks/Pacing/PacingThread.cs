using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace OrleansStream.Benchmarks.Pacing;

/// <summary>
/// The one thread of a process that wakes readers when their next record is due. Timers of .NET come by the millisecond, so it sleeps by itself, in steps well below the
/// latencies that are to be measured: a few percent of one core.
/// </summary>
internal sealed partial class PacingThread : IDisposable
{
    private const int StepNanoseconds = 100_000;

    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _stopped = new();
    private readonly Thread _thread;
    private Wake[] _wakes = [];

    public PacingThread()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "pacing" };
        _thread.Start();
    }

    /// <summary>Makes a waiting place for one reader.</summary>
    public Wake Add()
    {
        var wake = new Wake();
        lock (_lock) _wakes = [.. _wakes, wake];
        return wake;
    }

    /// <summary>Stops the thread. Whoever waits is woken a last time.</summary>
    public void Dispose()
    {
        _stopped.Set();
        _thread.Join();
        _stopped.Dispose();
    }

    private void Run()
    {
        while (!_stopped.IsSet)
        {
            var now = Stopwatch.GetTimestamp();
            foreach (var wake in Volatile.Read(ref _wakes)) wake.IfDue(now);
            Nap();
        }

        foreach (var wake in _wakes) wake.IfDue(long.MaxValue);
    }

    private void Nap()
    {
        if (OperatingSystem.IsLinux())
        {
            var step = new TimeSpec { Nanoseconds = StepNanoseconds };
            _ = NanoSleep(in step, 0);
        }
        else
        {
            _stopped.Wait(1);
        }
    }

    // Nothing in .NET sleeps for less than a millisecond.
    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec request, nint remaining);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}

/// <summary>Where one reader waits for a point in time; one wait at a time. It allocates nothing.</summary>
internal sealed class Wake : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private long _due = long.MaxValue;

    /// <summary>Completes when the time has come.</summary>
    /// <param name="due">In ticks of <see cref="Stopwatch"/>.</param>
    public ValueTask WaitAsync(long due)
    {
        if (due <= Stopwatch.GetTimestamp()) return ValueTask.CompletedTask;
        _source.Reset();
        var wait = new ValueTask(this, _source.Version);
        Volatile.Write(ref _due, Math.Min(due, long.MaxValue - 1));
        return wait;
    }

    /// <summary>Called by the pacing thread.</summary>
    public void IfDue(long now)
    {
        if (Volatile.Read(ref _due) > now || Interlocked.Exchange(ref _due, long.MaxValue) == long.MaxValue) return;
        _source.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
