using System.Collections.Concurrent;
using OrleansStream.Stages;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>How long calls of the engine's grains take on silos of this process, those that are still open included: one instance for all silos.</summary>
internal sealed class CallTimes : IOutgoingGrainCallFilter
{
    private readonly ConcurrentDictionary<long, (long Began, string Method)> _open = new();
    private long _last;
    private (TimeSpan Time, string Method) _longest;

    /// <summary>How many calls there were.</summary>
    public long Count => _last;

    /// <summary>The longest call so far, and its method.</summary>
    public (TimeSpan Time, string Method) Longest
    {
        get
        {
            foreach (var (began, method) in _open.Values) Note(began, method);
            lock (_open) return _longest;
        }
    }

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        if (context.InterfaceMethod?.DeclaringType is not { } of || of.Assembly != typeof(ISubtaskGrain).Assembly)
        {
            await context.Invoke();
            return;
        }

        var (number, began, method) = (Interlocked.Increment(ref _last), TimeProvider.System.GetTimestamp(), $"{of.Name}.{context.InterfaceMethod.Name}");
        _open[number] = (began, method);
        try
        {
            await context.Invoke();
        }
        finally
        {
            _open.TryRemove(number, out _);
            Note(began, method);
        }
    }

    private void Note(long began, string method)
    {
        var time = TimeProvider.System.GetElapsedTime(began);
        lock (_open)
        {
            if (time > _longest.Time) _longest = (time, method);
        }
    }
}
