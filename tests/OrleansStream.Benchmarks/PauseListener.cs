using System.Diagnostics.Tracing;

namespace OrleansStream.Benchmarks;

/// <summary>
/// Hears of each time in which the collector held the threads: from the beginning of a suspension for a collection to the restart. The runtime counts the total itself, but not the longest.
/// </summary>
internal sealed class PauseListener : EventListener
{
    private const EventKeywords Collector = (EventKeywords)1;
    private const int RestartEnd = 3;
    private const int SuspendBegin = 9;
    private const uint ForCollection = 1;
    private const uint ForPreparation = 6;

    private readonly Lock _lock = new();
    private DateTime? _suspended;
    private DateTime _from = DateTime.MinValue;
    private TimeSpan _longest;

    public static PauseListener Instance { get; } = new();

    /// <summary>The longest since the last reset. The runtime delivers its events late, so that a pause at the very end of a run may be missing.</summary>
    public TimeSpan Longest
    {
        get
        {
            lock (_lock) return _longest;
        }
    }

    public void Reset()
    {
        lock (_lock)
        {
            _longest = TimeSpan.Zero;
            _from = TimeProvider.System.GetUtcNow().UtcDateTime;
        }
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime") EnableEvents(eventSource, EventLevel.Informational, Collector);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        // Runs in the constructor of the class above too, before the fields are there.
        if (_lock is null) return;
        lock (_lock)
        {
            if (eventData.EventId == SuspendBegin && eventData.Payload is [uint reason, ..])
            {
                _suspended = reason is ForCollection or ForPreparation ? eventData.TimeStamp : null;
            }
            else if (eventData.EventId == RestartEnd && _suspended is { } suspended)
            {
                _suspended = null;
                if (suspended >= _from && eventData.TimeStamp - suspended > _longest) _longest = eventData.TimeStamp - suspended;
            }
        }
    }
}
