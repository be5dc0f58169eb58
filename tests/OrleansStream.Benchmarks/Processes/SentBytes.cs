using System.Diagnostics.Metrics;

namespace OrleansStream.Benchmarks.Processes;

/// <summary>Counts what Orleans says it sends to other processes.</summary>
internal sealed class SentBytes : IDisposable
{
    private const string Meter = "Microsoft.Orleans";
    private const string Sent = "orleans-messaging-sent-messages-size";

    private readonly MeterListener _listener = new();
    private long _bytes;
    private bool _isCounted;

    public SentBytes()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name != Meter || instrument.Name != Sent) return;
            _isCounted = true;
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((_, bytes, _, _) => Interlocked.Add(ref _bytes, bytes));
        _listener.SetMeasurementEventCallback<long>((_, bytes, _, _) => Interlocked.Add(ref _bytes, bytes));
        _listener.Start();
    }

    /// <summary>All bytes so far; null when this version of Orleans does not count them.</summary>
    public long? Total => _isCounted ? Interlocked.Read(ref _bytes) : null;

    public void Dispose() => _listener.Dispose();
}
