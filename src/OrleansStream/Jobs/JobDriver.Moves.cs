using OrleansStream.Checkpoints;
using OrleansStream.Graph;

namespace OrleansStream.Jobs;

/// <summary>Planned moves: asked for, told to the coordinator, and measured. <see cref="MoveRequests"/> and <see cref="RebalanceRule"/> decide.</summary>
internal sealed partial class JobDriver
{
    /// <summary>How often silos read on: each time there is less, for less has been written meanwhile.</summary>
    private const int MostReads = 4;

    private readonly MoveRequests _moves = new();
    private readonly RebalanceRule _rebalance;
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<string>? _places;
    private IReadOnlyDictionary<SubtaskId, string> _former = RunningAttempt.Nowhere;
    private MoveBegun? _begun;
    private CancellationTokenSource? _reading;

    /// <summary>When the last attempt took its last record, as far as it counts.</summary>
    private long _endedAt;
    private bool _isHandingOver;
    private bool _isLost;
    private int _registered;

    /// <summary>The planned move that is asked for or under way, for people; null when there is none.</summary>
    public string? Moving => _moves.Current is not { } move ? null : _reading is null ? move.Reason : $"{move.Reason}; silos are reading ahead";

    /// <summary>The last planned move that was made; null when there was none.</summary>
    public MoveStatus? LastMove { get; private set; }

    /// <summary>Hears of each planned move when its attempt runs.</summary>
    public Action<MoveStatus>? OnMoved { get; set; }

    /// <summary>Completes when no planned move is under way.</summary>
    public Task Settled => _moves.Current is null ? Task.CompletedTask : _moved.Task;

    /// <summary>Asks for another parallelism.</summary>
    /// <param name="parallelism">The parallelism that is wanted.</param>
    /// <param name="maxParallelism">The number of key groups.</param>
    /// <param name="registered">The parallelism that the job is registered with now; 0 for none in particular.</param>
    public RescaleAnswer Rescale(int parallelism, int maxParallelism, int registered)
    {
        var answer = _moves.Rescale(_job, Phase, Parallelism, parallelism, maxParallelism);
        if (answer is { Problem: null, IsAlready: false }) _registered = registered;
        Wake();
        return answer;
    }

    /// <summary>A silo leaves. Completes when no attempt has anything there, or the job has ended.</summary>
    public Task MoveAwayAsync(string silo)
    {
        _moves.Leave(silo, IsActive ? _places : []);
        // A move that is put off already makes the silo wait too.
        _reading?.CancelAfter(_rules.LongestUrgentReadAhead);
        Wake();
        return Settled;
    }

    /// <summary>
    /// This driver's own silo leaves: the attempt ends at a checkpoint, and the next one is another driver's. An attempt that does not run yet is left at once: it has nothing that a checkpoint
    /// would save.
    /// </summary>
    public async Task<HandOver> HandOverAsync(string silo)
    {
        if (!IsActive) return HandOver.Nothing;
        _isHandingOver = true;
        _moves.Leave(silo, null);
        _reading?.CancelAfter(_rules.LongestUrgentReadAhead);
        Wake();
        if (Phase is JobPhase.Running or JobPhase.Stopping) await _run;
        else await LeaveAsync("The job's silo is leaving.");
        return Phase == JobPhase.Idle && !_isLost ? new HandOver(_start, _begun is null ? null : _begun with { SinceEnd = _time.GetElapsedTime(_endedAt) }, _former, _owned) : HandOver.Nothing;
    }

    /// <summary>Starts the job where another driver left it as its silo went.</summary>
    public void Continue(JobStart start, HandOver handed)
    {
        if (IsActive) return;
        _former = handed.Places;
        _owned = handed.Attempt ?? _owned;
        if (handed.Begun is { } begun)
        {
            _begun = begun;
            _endedAt = _time.GetTimestamp() - Ticks(begun.SinceEnd);
            _moves.Continue(begun.Reason);
        }

        Start(start);
    }

    /// <summary>Tells the coordinator of a move that is asked for, when silos have read ahead for it.</summary>
    private async Task TellOfMoveAsync(MovesTold told, JobPlan plan, Attempt attempt)
    {
        if (_moves.Asked is not { } move || move == told.Last || _stopReason is not null) return;
        if (told.Next != move) (told.Next, told.IsReadAhead) = (move, TryReadAheadAsync(move, plan, attempt));
        if (!told.IsReadAhead.IsCompleted) return;
        var ready = move with { IsReadAhead = await told.IsReadAhead };
        if (await TryAsync(() => _port.MoveCoordinatorAsync(_job, attempt, ready))) told.Last = move;
    }

    /// <summary>
    /// Lets the silos to which subtasks are about to come read the newest checkpoint while the job goes on, and read on as long as there are newer ones: then they have only what follows to read while it
    /// waits. A guess, which does no harm where it is wrong.
    /// </summary>
    /// <returns>Whether most of it is read.</returns>
    private async Task<bool> TryReadAheadAsync(PlannedMove move, JobPlan plan, Attempt attempt)
    {
        var longest = move.IsUrgent ? _rules.LongestUrgentReadAhead : _rules.LongestReadAhead;
        if (longest == TimeSpan.Zero) return false;
        using var limit = new CancellationTokenSource(longest, _time);
        using var leaving = _leaving.Token.UnsafeRegister(static limit => ((CancellationTokenSource)limit!).Cancel(), limit);
        _reading = limit;
        var (read, wanted) = (new Dictionary<string, int>(), 0);
        try
        {
            await TryAsync(async () =>
            {
                await _port.KeepChainAsync(_job, attempt);
                CheckpointId? last = null;
                var next = move.Parallelism is { } parallelism ? _plan(_start with { Parallelism = parallelism }) : plan;
                for (var reads = 0; reads < MostReads && !limit.IsCancellationRequested; reads++)
                {
                    var history = await HistoryLog.ReadAsync(_store, _job, _retry, limit.Token);
                    if (Newest(history.Kept) is not { } newest || newest.Id.Attempt != attempt || newest.Id == last) break;
                    last = newest.Id;
                    var manifest = await ManifestObject.ReadAsync(_store, _job, newest, _retry, limit.Token);
                    var places = Placement.Of(next, _moves.Places(_port.Silos), _former);
                    var coming = next.Subtasks.Where(id => next.Stages[id.Stage].Head is not SourceNode && !(move.KeepsTables && _former.GetValueOrDefault(id) == places[id])).ToList();
                    wanted = coming.Count;
                    // Those that take too long keep no other from counting.
                    await Task.WhenAll(coming.GroupBy(id => places[id]).Select(silo => TryAsync(async () =>
                        read[silo.Key] = await _port.ReadAheadAsync(silo.Key, [.. silo.Select(id => OpeningOf(next, attempt.Next, id, manifest, Foresight.NoSplits))]).WaitAsync(limit.Token))));
                }
            });
        }
        finally
        {
            if (_reading == limit) _reading = null;
        }

        Wake();
        return read.Values.Sum() * 2 > wanted;
    }

    /// <summary>The next attempt begins: it carries out what was asked for.</summary>
    private void BeginMove()
    {
        if (_moves.OnAttempt() is { } parallelism) _start = _start with { Parallelism = parallelism, RescaledOver = _registered };
    }

    private void NoteEnded(AttemptOutcome outcome)
    {
        // A move that several attempts fail to carry out has one pause.
        if (_moves.Asked is not { } move || _begun is not null) return;
        var checkpoint = TimeSpan.FromMilliseconds(outcome.CheckpointMs);
        _endedAt = _time.GetTimestamp() - (move.KeepsTables ? Ticks(checkpoint) : 0);
        _begun = new MoveBegun(move.Reason, checkpoint, TimeSpan.Zero);
    }

    private void NoteRunning(Attempt attempt)
    {
        _rebalance.OnRunning(Elapsed());
        var move = _moves.OnRunning(_places ?? []);
        if (move is not null && _begun is { } begun)
        {
            LastMove = new MoveStatus
            {
                Reason = move.Reason,
                Attempt = attempt.Number,
                Checkpoint = begun.Checkpoint,
                Pause = _time.GetElapsedTime(_endedAt),
                At = _time.GetUtcNow(),
            };
            OnMoved?.Invoke(LastMove);
        }

        _begun = null;
        if (_moves.Current is null) ReleaseMovers();
    }

    private void EndMoves()
    {
        _moves.OnEnded();
        ReleaseMovers();
    }

    private void ReleaseMovers()
    {
        _moved.TrySetResult();
        _moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Spreads the subtasks anew when that is due. A clock of this driver's own is as good as any.</summary>
    private void ConsiderBalance()
    {
        if (_places is { } places && _stopReason is null && _rebalance.IsDue(Elapsed(), _moves.Places(_port.Silos), places)) _moves.Rebalance();
    }

    /// <summary>What the coordinator of one attempt was told of planned moves.</summary>
    private sealed class MovesTold
    {
        /// <summary>The move that it was told of.</summary>
        public PlannedMove? Last { get; set; }

        /// <summary>The one that it will be told of, when silos have read ahead.</summary>
        public PlannedMove? Next { get; set; }

        public Task<bool> IsReadAhead { get; set; } = Task.FromResult(false);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);

    private TimeSpan Elapsed() => _time.GetElapsedTime(0);
}
