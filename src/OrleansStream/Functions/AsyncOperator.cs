using System.Runtime.ExceptionServices;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Functions;

/// <summary>
/// Asks an asynchronous function for the result of each record. Invariants: calls are made and answers handed on in steps of the subtask; what comes between two steps
/// only notes the answer. A record is in the snapshots from when it comes until its result has been handed on, and is asked for again after a restore; so each
/// has one result, and its function may be called more than once. No record overtakes a watermark, and no watermark a record.
/// Source: Flink's AsyncWaitOperator.
/// </summary>
internal sealed partial class AsyncOperator<TIn, TOut>(
    SubtaskContext context, Func<TIn, CancellationToken, Task<TOut>> function, Func<TIn, Exception, TOut>? fallback, Func<TIn, string?>? keyText, AsyncOptions options,
    Output<TOut> output, Failures<TIn> failures)
    : Operator<TIn>, IAsyncOperator
{
    private static readonly Comparer<InFlight<TIn, TOut>> ByRetry = Comparer<InFlight<TIn, TOut>>.Create(
        static (one, other) => one.RetryAt != other.RetryAt ? one.RetryAt.CompareTo(other.RetryAt) : one.Number.CompareTo(other.Number));

    private readonly InFlightQueue<TIn, TOut> _queue = new(options.Order);
    private readonly long? _timeoutMs = options.Timeout is { } timeout ? (long)Math.Ceiling(timeout.TotalMilliseconds) : null;

    /// <summary>How many operators of the kind are below this one: made before it.</summary>
    private readonly int _below = context.Asynchronous.Count;

    /// <summary>Records that were not asked for yet.</summary>
    private readonly Queue<InFlight<TIn, TOut>> _unasked = new();

    /// <summary>Records whose last call has ended since the last step.</summary>
    private readonly Queue<InFlight<TIn, TOut>> _answered = new();

    /// <summary>Records that were asked for and are not settled, in the order of their time-outs.</summary>
    private readonly LinkedList<InFlight<TIn, TOut>> _timed = new();

    /// <summary>Records that are asked for again later.</summary>
    private readonly SortedSet<InFlight<TIn, TOut>> _retries = new(ByRetry);
    private long _watermark = EventTime.Beginning;
    private long _passed = EventTime.Beginning;
    private long _numbers;
    private int _asked;
    private bool _isClosed;

    public bool IsFull => _asked + _unasked.Count >= options.Capacity;

    public bool IsEmpty => _queue.Count == 0;

    public override long? NextTime
    {
        get
        {
            var next = Math.Min(_timeoutMs is not null && _timed.First is { } first ? first.Value.Deadline : long.MaxValue, _retries.Min?.RetryAt ?? long.MaxValue);
            return next == long.MaxValue ? null : context.Now.Wall + (next - context.Now.Elapsed);
        }
    }

    public override void OnRecords(Records<TIn> records)
    {
        for (var i = 0; i < records.Count; i++) Add(records.Values[i], records.Timestamps[i], records.KeyHashes.IsEmpty ? 0 : records.KeyHashes[i]);
    }

    public override void OnWatermark(long watermark)
    {
        if (watermark <= _watermark) return;
        _watermark = watermark;
        if (_queue.Count == 0) Pass(watermark);
        else _queue.AddWatermark(watermark);
    }

    public bool Collect()
    {
        var before = (_answered.Count, _timed.Count, _retries.Count, _queue.Count, _unasked.Count);
        while (_answered.TryDequeue(out var item)) TakeAnswer(item);
        TakeTime();
        HandOn();
        while (_asked < options.Capacity && _unasked.TryDequeue(out var item)) AskFirst(item);
        return before != (0, _timed.Count, _retries.Count, _queue.Count, _unasked.Count);
    }

    public override ValueTask DisposeAsync()
    {
        _isClosed = true;
        foreach (var item in _timed) Cancel(item);
        return ValueTask.CompletedTask;
    }

    private void Add(in TIn record, long timestamp, ulong keyHash)
    {
        var item = new InFlight<TIn, TOut> { IsWatermark = false, Record = record, Timestamp = timestamp, KeyHash = keyHash };
        _queue.Add(item);
        _unasked.Enqueue(item);
    }

    private void AskFirst(InFlight<TIn, TOut> item)
    {
        _asked++;
        item.Number = ++_numbers;
        item.Deadline = EventTime.Plus(context.Now.Elapsed, _timeoutMs ?? 0);
        item.Cancellation = new CancellationTokenSource();
        item.InTime = _timed.AddLast(item);
        Ask(item);
    }

    private void Ask(InFlight<TIn, TOut> item)
    {
        item.Calls++;
        _ = AskAsync(item);
    }

    /// <summary>Makes a call and notes how it ended. What comes behind a time-out or the end of the subtask is not wanted any more.</summary>
    private async Task AskAsync(InFlight<TIn, TOut> item)
    {
        TOut result = default!;
        Exception? error = null;
        try
        {
            var call = function(item.Record, item.Cancellation!.Token) ?? throw new InvalidOperationException("the function returned null in place of a task");
            result = await call;
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        if (item.IsSettled || _isClosed) return;
        item.Result = result;
        item.Error = error;
        _answered.Enqueue(item);
        context.Wake();
    }

    private void TakeAnswer(InFlight<TIn, TOut> item)
    {
        if (!IsWorthAnother(item))
        {
            Settle(item);
            return;
        }

        item.RetryAt = EventTime.Plus(context.Now.Elapsed, options.Retry!.DelayAfter(item.Calls));
        _retries.Add(item);
    }

    /// <summary>Whether a failed call is made again. A rule that throws makes its own error that of the call.</summary>
    private bool IsWorthAnother(InFlight<TIn, TOut> item)
    {
        if (item.Error is not { } error || options.Retry is not { } retry || item.Calls >= retry.Attempts || !Failures.IsOfFunction(error)) return false;
        try
        {
            return retry.When?.Invoke(error) ?? true;
        }
        catch (Exception thrown) when (Failures.IsOfFunction(thrown))
        {
            item.Error = thrown;
            return false;
        }
    }

    private void TakeTime()
    {
        var now = context.Now.Elapsed;
        while (_timeoutMs is not null && _timed.First is { } first && first.Value.Deadline <= now)
        {
            first.Value.Error = new TimeoutException($"there was no result within {options.Timeout}, after {first.Value.Calls} calls");
            Settle(first.Value);
        }

        while (_retries.Min is { } item && item.RetryAt <= now)
        {
            _retries.Remove(item);
            Ask(item);
        }
    }

    private void Settle(InFlight<TIn, TOut> item)
    {
        // Before its calls are told: what they still say is not heard.
        _queue.Settled(item);
        _timed.Remove(item.InTime!);
        _retries.Remove(item);
        if (item.Error is TimeoutException) Cancel(item);
        item.Cancellation!.Dispose();
    }

    private void HandOn()
    {
        while (_queue.HasReady && context.HasRoomBelow(_below) && _queue.TryTake(out var item))
        {
            if (item.IsWatermark)
            {
                // What follows it is for the next step: as everywhere, one step hands on one watermark.
                Pass(item.Timestamp);
                break;
            }

            _asked--;
            if (item.Error is { } error) Fail(item, error);
            else output.Emit(item.Result, item.Timestamp);
        }

        output.Flush();
        failures.Flush();
    }

    private void Fail(InFlight<TIn, TOut> item, Exception error)
    {
        if (!Failures.IsOfFunction(error)) ExceptionDispatchInfo.Throw(error);
        if (fallback is not null)
        {
            try
            {
                output.Emit(fallback(item.Record, error), item.Timestamp);
                return;
            }
            catch (Exception thrown) when (Failures.IsOfFunction(thrown))
            {
                error = thrown;
            }
        }

        failures.Take(error, item.Record, item.Timestamp, keyText?.Invoke(item.Record));
    }

    private void Pass(long watermark)
    {
        _passed = watermark;
        output.Watermark(watermark);
        failures.Watermark(watermark);
    }

    /// <summary>Tells a call that its answer is not awaited any more. What its listeners throw at that is nobody's business.</summary>
    private static void Cancel(InFlight<TIn, TOut> item)
    {
        try
        {
            item.Cancellation!.Cancel();
        }
        catch (AggregateException)
        {
        }
    }
}
