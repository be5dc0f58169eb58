namespace OrleansStream.Tests.Checkpoints;

/// <summary>Runs many callers on one thread and picks at random, from a seed, whose next step comes: one seed, one interleaving. Waits take no time.</summary>
internal sealed class SeededContext(int seed) : SynchronizationContext
{
    private readonly List<(SendOrPostCallback Callback, object? State)> _ready = [];
    private readonly Random _order = new(seed);

    public TimeProvider Time => field ??= new JumpingTime(this);

    public override void Post(SendOrPostCallback d, object? state) => _ready.Add((d, state));

    /// <summary>Runs callers until all are done.</summary>
    public void Run(int mostSteps, params IEnumerable<Func<Task>> callers)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            var tasks = callers.Select(caller => caller()).ToList();
            for (var step = 0; _ready.Count > 0; step++)
            {
                if (step >= mostSteps) Assert.Fail($"Seed {seed}: {tasks.Count(t => !t.IsCompleted)} callers were not done after {mostSteps} steps.");
                var pick = _order.Next(_ready.Count);
                var (callback, state) = _ready[pick];
                _ready[pick] = _ready[^1];
                _ready.RemoveAt(_ready.Count - 1);
                callback(state);
            }

            foreach (var task in tasks)
            {
                Assert.True(task.IsCompleted, $"Seed {seed}: a caller waits for something that never comes.");
                task.GetAwaiter().GetResult();
            }
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>Gives way to others a number of times.</summary>
    public static async Task StallAsync(int steps)
    {
        for (var i = 0; i < steps; i++) await Task.Yield();
    }

    /// <summary>A clock that is there at once: a due time is just one more step in the random order.</summary>
    private sealed class JumpingTime(SeededContext context) : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer();
            if (dueTime == Timeout.InfiniteTimeSpan) return timer;
            context.Post(
                _ =>
                {
                    if (timer.IsDisposed) return;
                    _now += dueTime;
                    callback(state);
                },
                null);
            return timer;
        }

        private sealed class Timer : ITimer
        {
            public bool IsDisposed { get; private set; }

            public bool Change(TimeSpan dueTime, TimeSpan period) => !IsDisposed;

            public void Dispose() => IsDisposed = true;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
