namespace OrleansStream.Testing.Simulation;

/// <summary>
/// Runs a whole cluster on one thread in virtual time. Invariants: everything that happens is either an event, in the order of time and then of making, or one
/// turn of an actor that has work, picked at random from the seed; so one seed is one run, step by step. Time passes between steps, and jumps when nothing is to be done.
/// </summary>
internal sealed class Scheduler : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly List<Actor> _ready = [];
    private readonly int _longestStepTicks;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _order;
    private int _actors;

    public Scheduler(int seed)
    {
        Random = new Random(seed);
        _longestStepTicks = Random.Next(50, 1000);
    }

    /// <summary>The one source of chance.</summary>
    public Random Random { get; }

    public long NowTicks { get; private set; }

    public TimeSpan Now => TimeSpan.FromTicks(NowTicks);

    public long Steps { get; private set; }

    /// <summary>A hash over every step: whose it was, and when.</summary>
    public ulong Trace { get; private set; } = 14695981039346656037;

    /// <summary>The actor whose turn runs; null during an event.</summary>
    public Actor? Current { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => NowTicks;

    public override DateTimeOffset GetUtcNow() => Epoch + Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulatedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public Actor NewActor(string name) => new(this, ++_actors, name);

    /// <summary>Lets something happen later, whoever is dead by then.</summary>
    public void After(TimeSpan delay, Action act) => _events.Enqueue(act, (NowTicks + Math.Max(0, delay.Ticks), ++_order));

    /// <summary>Does one step; false when there is nothing left to do.</summary>
    public bool Step()
    {
        if (_events.TryPeek(out _, out var next) && next.At <= NowTicks) return Happen(next.At);
        while (_ready.Count > 0)
        {
            var pick = Random.Next(_ready.Count);
            var actor = _ready[pick];
            if (!actor.TryTake(out var turn))
            {
                _ready[pick] = _ready[^1];
                _ready.RemoveAt(_ready.Count - 1);
                continue;
            }

            NowTicks += Random.Next(_longestStepTicks);
            Note(actor.Number);
            Turn(actor, turn);
            return true;
        }

        return _events.Count > 0 && Happen(next.At);
    }

    internal void Ready(Actor actor) => _ready.Add(actor);

    /// <summary>An actor whose turn was posted by another thread: its code escaped the scheduler. Null when all is well.</summary>
    public string? Escaped { get; private set; }

    internal bool IsOwnThread(string actor)
    {
        if (Environment.CurrentManagedThreadId == _thread) return true;
        Escaped = actor;
        return false;
    }

    /// <summary>Mixes something that was decided into the trace.</summary>
    public void Note(long what) => Trace = (((Trace ^ (ulong)what) * 1099511628211) ^ (ulong)NowTicks) * 1099511628211;

    private bool Happen(long at)
    {
        var act = _events.Dequeue();
        NowTicks = Math.Max(NowTicks, at);
        Steps++;
        Note(0);
        act();
        return true;
    }

    private void Turn(Actor actor, (SendOrPostCallback Callback, object? State) turn)
    {
        Steps++;
        Current = actor;
        SynchronizationContext.SetSynchronizationContext(actor);
        try
        {
            turn.Callback(turn.State);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(null);
            Current = null;
        }
    }

    private sealed class SimulatedTimer(Scheduler scheduler, TimerCallback callback, object? state) : ITimer
    {
        private int _setting;
        private bool _disposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (_disposed) return false;
            var setting = ++_setting;
            if (dueTime != Timeout.InfiniteTimeSpan) scheduler.After(dueTime, () => Fire(setting, period));
            return true;
        }

        private void Fire(int setting, TimeSpan period)
        {
            if (_disposed || setting != _setting) return;
            if (period > TimeSpan.Zero) scheduler.After(period, () => Fire(setting, period));
            callback(state);
        }

        public void Dispose() => _disposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What runs one turn at a time, as a grain activation does: its turns come in the order posted. Killed, it loses what was posted and what will be.</summary>
internal sealed class Actor(Scheduler scheduler, int number, string name) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _turns = new();
    private bool _isListed;

    public int Number => number;

    public bool IsDead { get; private set; }

    public bool IsPaused { get; private set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!scheduler.IsOwnThread(name) || IsDead) return;
        _turns.Enqueue((d, state));
        List();
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing in the engine waits for a turn.");

    public override SynchronizationContext CreateCopy() => this;

    public void Run(Action act) => Post(static state => ((Action)state!)(), act);

    public void Kill()
    {
        IsDead = true;
        _turns.Clear();
    }

    public void Pause() => IsPaused = true;

    public void Wake()
    {
        IsPaused = false;
        if (_turns.Count > 0) List();
    }

    public override string ToString() => name;

    internal bool TryTake(out (SendOrPostCallback Callback, object? State) turn)
    {
        turn = default;
        if (!IsPaused && _turns.TryDequeue(out turn)) return true;
        _isListed = false;
        return false;
    }

    private void List()
    {
        if (_isListed || IsPaused) return;
        _isListed = true;
        scheduler.Ready(this);
    }
}
