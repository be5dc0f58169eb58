using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.State;

namespace OrleansStream.Stages;

/// <summary>
/// Runs one opening of a subtask: performs what <see cref="Subtask"/> decides. All its code runs on one scheduler, a turn at a time, and gives way every
/// few milliseconds. Invariants: no call is held open over alignment, back-pressure or shutdown; a call of unknown outcome is made again with the same
/// number; a receipt is sent when everything it names is durable, receipts in the order of their checkpoints; a subtask that has not heard from its
/// coordinator for a while, or that nobody starts, ends itself.
/// </summary>
internal sealed partial class SubtaskDriver
{
    private static readonly TimeSpan OneMillisecond = TimeSpan.FromMilliseconds(1);

    private readonly Subtask _subtask;
    private readonly SubtaskContext _context;
    private readonly ISubtaskNetwork _network;
    private readonly ICoordinatorPort _coordinator;
    private readonly TimeProvider _time;
    private readonly SnapshotWriter _writer;
    private readonly ITurn _turn;
    private readonly SubtaskTimings _timings;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<(SubtaskId, int), OutputChannel> _outputs = [];
    private readonly HashSet<int> _crediting = [];
    private StepKind? _waitsFor;
    private bool _lingered;
    private TaskCompletionSource _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _snapshots = Task.CompletedTask;
    private SegmentRef? _written;
    private long _heardAt;
    private bool _isStarted;

    public SubtaskDriver(
        Subtask subtask, ISubtaskNetwork network, ICoordinatorPort coordinator, SnapshotWriter writer, ITurn turn, TimeProvider time, SubtaskTimings timings)
    {
        _subtask = subtask;
        _context = subtask.Context;
        _network = network;
        _coordinator = coordinator;
        _writer = writer;
        _turn = turn;
        _time = time;
        _timings = timings;
        _timer = time.CreateTimer(static driver => ((SubtaskDriver)driver!).Signal(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _context.Wake = Signal;
        _heardAt = time.GetTimestamp();
    }

    public Subtask Subtask => _subtask;

    /// <summary>The first segment that was written, if one was.</summary>
    public SegmentRef? FirstWritten { get; private set; }

    public SubtaskId Id => _context.Id;

    /// <summary>What ended the subtask, if it failed.</summary>
    public SubtaskFailure? Failure { get; private set; }

    /// <summary>
    /// Whether the failure is what ended the attempt, as its coordinator sees it, or nobody could be told of it. False when the attempt had ended before, of which this one is an echo: a neighbour that has
    /// ended takes nothing any more.
    /// </summary>
    public Task<bool> IsFailureNews { get; private set; } = Task.FromResult(true);

    /// <summary>Hears, before the opening has ended, of state that is all in a segment and nobody's any more.</summary>
    public Action<SegmentRef, SubtaskState>? OnLeft { get; set; }

    /// <summary>Completes when the opening has ended, for whatever reason, and holds nothing any more.</summary>
    public Task Completion => _completion.Task;

    /// <summary>The segments to restore from.</summary>
    public static IReadOnlyList<SegmentChain> Chains(SubtaskOpening opening) =>
    [
        .. opening.Former.Select(static former => new SegmentChain(former.Index, former.KeyGroups, former.Segments)),
    ];

    /// <summary>Opens what the operators need outside: files, connections. Restored state is in place already.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        _context.Now = Clock();
        try
        {
            foreach (var step in _context.Operators) await step.OpenAsync(cancellation);
        }
        catch
        {
            // What was opened before the one that failed must not stay open.
            await EndAsync();
            throw;
        }

        _heardAt = _time.GetTimestamp();
        _ = EndUnlessStartedAsync();
    }

    /// <summary>Begins processing. A repeat changes nothing.</summary>
    public void Start(SubtaskTable table)
    {
        if (_isStarted || _ended.IsCancellationRequested) return;
        _isStarted = true;
        _heardAt = _time.GetTimestamp();
        foreach (var channel in _subtask.Outputs)
        {
            channel.Address(_context.Attempt, _context.Incarnation, table.Addresses[channel.To].Incarnation);
            _outputs.Add((channel.To, channel.ReceiverChannel), channel);
        }

        foreach (var input in _subtask.Inputs) input.FromIncarnation = table.Addresses[input.From].Incarnation;
        _ = RunAsync();
    }

    /// <summary>Takes what arrives on a channel. Refusals end the attempt on the sender's side.</summary>
    public PostReply Post(Envelope envelope)
    {
        // Who is refused fails as well: the coordinator is to hear of the cause before it hears of that.
        if (_ended.IsCancellationRequested && !IsFailureNews.IsCompleted) return PostReply.NotYet;
        if (_ended.IsCancellationRequested) return new PostReply($"opening {_context.Incarnation} of subtask {Id} has ended", 0);
        if (!_isStarted) return PostReply.NotYet;
        var refusal = _subtask.Accept(envelope, out var processed);
        if (_waitsFor == StepKind.Dry) Signal();
        return new PostReply(refusal, processed);
    }

    /// <summary>Takes credit for a channel. That of a receiver which the table does not name is ignored.</summary>
    /// <exception cref="StreamException">It is another opening's, which would not hear of it.</exception>
    public void Credit(Credit credit)
    {
        if (credit.SenderIncarnation != _context.Incarnation) throw new StreamException($"Credit for opening {credit.SenderIncarnation} of subtask {Id} came to opening {_context.Incarnation}.");
        if (!_outputs.TryGetValue((credit.Receiver, credit.Channel), out var channel) || channel.ToIncarnation != credit.ReceiverIncarnation) return;
        TakeCredit(channel, credit.Processed);
    }

    /// <summary>Asks for a checkpoint.</summary>
    public void Trigger(Barrier barrier)
    {
        Heard();
        _subtask.Trigger(barrier);
        Signal();
    }

    /// <summary>A checkpoint is published: later deltas build on it, sinks commit. Safe to repeat.</summary>
    public async Task CommitAsync(CommitPermit permit)
    {
        Heard();
        _context.State.Published(permit.Checkpoint);
        foreach (var sink in _subtask.Sinks) await sink.CommitAsync(permit, _ended.Token);
    }

    public SubtaskReport Heartbeat()
    {
        Heard();
        return Report();
    }

    /// <summary>Takes news of the alignment group, and goes on if splits wait for it; returns the lowest watermark here.</summary>
    public long Align(long lowestOfOthers)
    {
        var lowest = _subtask.Align(lowestOfOthers, Clock().Elapsed);
        if (_waitsFor == StepKind.Dry) Signal();
        return lowest;
    }

    public SubtaskReport Report() => new()
    {
        Subtask = Id,
        Incarnation = _context.Incarnation,
        RecordsIn = _context.Counters.RecordsIn,
        RecordsOut = _context.Counters.RecordsOut,
        LateRecords = _context.Counters.LateRecords,
        DeadLetters = _context.Counters.DeadLetters,
        BadRecords = _context.Counters.BadRecords,
        BackPressuredMs = _context.Counters.BackPressuredMs,
        Watermark = _subtask.Watermark,
        HasEnded = _subtask.HasEnded,
        Failure = Failure,
        Position = _context.Position,
        Splits = _subtask.ReportSplits(),
    };

    /// <summary>Ends the opening because its silo leaves, and lets the coordinator know, so that the job goes on elsewhere at once.</summary>
    public Task LeaveAsync(string cause)
    {
        if (_isStarted) Fail(new StreamException($"Job '{_context.Job}', subtask {Id}: {cause}"));
        return EndAsync();
    }

    /// <summary>Ends the opening: nothing is processed, sent or written after this. Completes when what it held is closed.</summary>
    public Task EndAsync()
    {
        Cancel();
        if (!_isStarted)
        {
            _isStarted = true;
            _ = CloseAsync();
        }

        return Completion;
    }

    /// <summary>Whoever opened it may be gone, or have given the attempt up: then nobody would ever end it.</summary>
    private async Task EndUnlessStartedAsync()
    {
        try
        {
            await Task.Delay(_timings.StartPatience, _time, _ended.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        if (!_isStarted) await EndAsync();
    }

    private async Task RunAsync()
    {
        try
        {
            while (!_ended.IsCancellationRequested)
            {
                await _turn.NextAsync();
                RequireCoordinator();
                var pause = RunSlices();
                var gotRoom = Pump();
                if (pause is { } why && !(gotRoom && why == StepKind.NoRoom)) await WaitAsync(why);
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }

        await CloseAsync();
    }

    private void RequireCoordinator()
    {
        if (_time.GetElapsedTime(_heardAt) < _timings.CoordinatorSilence) return;
        throw new StreamException($"Subtask {Id} of job '{_context.Job}' heard nothing from its coordinator for {_timings.CoordinatorSilence.TotalSeconds:0.#} s.");
    }

    /// <summary>Works for a few milliseconds; returns why it must wait, or null when there is more to do.</summary>
    private StepKind? RunSlices()
    {
        var began = _time.GetTimestamp();
        while (true)
        {
            var stepBegan = _time.GetTimestamp();
            var step = _subtask.Step(Clock());
            switch (step.Kind)
            {
                case StepKind.Dry:
                    // Another turn first: where all are busy it comes later and more has come meanwhile, where nobody is it comes at once.
                    if (!_lingered && _subtask.HasUnsent)
                    {
                        _lingered = true;
                        return null;
                    }

                    _lingered = false;
                    _subtask.FlushDry();
                    AwaitSplits();
                    return StepKind.Dry;
                case StepKind.NoRoom or StepKind.Held:
                    return step.Kind;
                case StepKind.Snapshot:
                    FaultPoints.Pass(FaultPoint.Frozen);
                    step.Taken!.StallMs = _time.GetElapsedTime(stepBegan).TotalMilliseconds;
                    _snapshots = WriteSnapshotAsync(_snapshots, step.Taken!);
                    break;
                case StepKind.Ended:
                    _ = ToldAsync(() => _coordinator.EndedAsync(Id, _context.Incarnation));
                    break;
            }

            if (_time.GetElapsedTime(began) >= _timings.TurnLimit) return null;
            if (step.Kind == StepKind.More && !_context.HasRoom) return null;
        }
    }

    private async Task WaitAsync(StepKind why)
    {
        if (_signal.Task.IsCompleted)
        {
            _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await Task.Yield();
            return;
        }

        var wait = _timings.CoordinatorSilence - _time.GetElapsedTime(_heardAt);
        var now = Clock();
        if (_subtask.NextTime(now, why == StepKind.NoRoom) is { } next)
        {
            var due = TimeSpan.FromMilliseconds(Math.Clamp(next - now.Wall, 1, 60_000));
            if (due < wait) wait = due;
        }

        var began = now.Elapsed;
        if (wait < OneMillisecond) wait = OneMillisecond;
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
        _waitsFor = why;
        await _signal.Task;
        _waitsFor = null;
        _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (why == StepKind.NoRoom && _subtask.IsBackPressured) _context.Counters.BackPressuredMs += Clock().Elapsed - began;
    }

    private async Task CloseAsync()
    {
        Cancel();
        await _timer.DisposeAsync();
        foreach (var step in _context.Operators)
        {
            try
            {
                await step.DisposeAsync();
            }
            catch (Exception error) when (Failure is null)
            {
                Failure = new SubtaskFailure(Id, _context.Incarnation, $"Closing '{step.Name}' failed with {error.GetType().Name}: {error.Message}", false);
            }
            catch
            {
                // The first cause is kept.
            }
        }

        if (Failure is null && _written is { } segment && segment.Checkpoint == _subtask.HeldAt) OnLeft?.Invoke(segment, _context.State);
        _completion.TrySetResult();
    }

    private void Fail(Exception error)
    {
        if (_ended.IsCancellationRequested) return;
        var cause = error is StreamException ? error.Message : $"Job '{_context.Job}', stage '{_context.Stage}', subtask {Id.Index}: {error.GetType().Name}: {error.Message}";
        Failure = new SubtaskFailure(Id, _context.Incarnation, cause, error is StreamException { IsPermanent: true });
        Cancel();
        IsFailureNews = TellFailureAsync(Failure);
    }

    private void Cancel()
    {
        if (!_ended.IsCancellationRequested) _ended.Cancel();
        Signal();
    }

    private void Heard() => _heardAt = _time.GetTimestamp();

    private void Signal() => _signal.TrySetResult();

    private Clock Clock() => new(_time.GetUtcNow().ToUnixTimeMilliseconds(), (long)_time.GetElapsedTime(0).TotalMilliseconds);
}

/// <summary>The limits that a subtask's driver keeps.</summary>
internal sealed record SubtaskTimings
{
    /// <summary>How long a turn may take before it gives way: what a record waits for other subtasks is a few of these.</summary>
    public TimeSpan TurnLimit { get; init; } = TimeSpan.FromMilliseconds(0.5);

    /// <summary>After how long without word from the coordinator the subtask ends itself.</summary>
    public TimeSpan CoordinatorSilence { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For how long an opened subtask waits to be started: longer than the slowest of an attempt's subtasks takes to open.</summary>
    public TimeSpan StartPatience { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>For how long a call that keeps failing is made again before the attempt ends.</summary>
    public TimeSpan CallPatience { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long to wait before a failed call is made again; longer each time, up to some times that.</summary>
    public TimeSpan CallPause { get; init; } = TimeSpan.FromMilliseconds(50);
}
