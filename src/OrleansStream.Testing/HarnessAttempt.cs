using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using Barrier = OrleansStream.Exchange.Barrier;

namespace OrleansStream.Testing;

/// <summary>
/// One run of a job between two restarts: all its subtasks, and the channels between them, driven by hand. Subtasks take their turns in the order of the stages, each until it has
/// nothing to do; then what they wrote is carried over, until nothing moves any more.
/// </summary>
internal sealed class HarnessAttempt : IAsyncDisposable
{
    private readonly JobPlan _plan;
    private readonly IServiceProvider _services;
    private readonly HarnessSegments _segments;
    private readonly SortedDictionary<SubtaskId, Subtask> _subtasks = new(Comparer<SubtaskId>.Create(static (a, b) => (a.Stage, a.Index).CompareTo((b.Stage, b.Index))));
    private readonly List<(Subtask Subtask, SubtaskSnapshot Snapshot)> _taken = [];
    private readonly List<Action> _waitingSplits = [];
    private readonly HarnessTurns _turns = new();
    private readonly AlignmentGroups _alignment;
    private readonly Dictionary<SubtaskId, long> _told = [];
    private long _lastCheckpoint;
    private long _elapsed;
    private string? _failure;

    public HarnessAttempt(JobPlan plan, Attempt number, IServiceProvider services, HarnessSegments segments)
    {
        _plan = plan;
        _services = services;
        _segments = segments;
        Number = number;
        _alignment = new AlignmentGroups(plan);
    }

    public Attempt Number { get; }

    public bool HasEnded => _subtasks.Values.All(static subtask => subtask.HasEnded);

    public IEnumerable<ITestOutput> Outputs => _plan.Graph.Sinks.Select(static node => node.Committer).OfType<ITestOutput>();

    /// <summary>The subtasks of the stage that an operator is in.</summary>
    public IEnumerable<Subtask> SubtasksOf(string operatorName)
    {
        var stage = _plan.Stages.FirstOrDefault(stage => stage.Nodes.Any(node => node.Name == operatorName))
            ?? throw new ArgumentException($"The graph has no operator '{operatorName}'. It has: {string.Join(", ", _plan.Graph.Nodes.Select(static node => node.Name))}.");
        return _subtasks.Where(subtask => subtask.Key.Stage == stage.Index).Select(static subtask => subtask.Value);
    }

    /// <summary>Restores and opens all subtasks.</summary>
    public async Task OpenAsync(long wall)
    {
        var inputs = new Dictionary<string, IReadOnlyList<SourceSplit>>();
        foreach (var source in _plan.Graph.Sources) inputs.Add(source.Name, await source.DiscoverAsync(CancellationToken.None));
        foreach (var sink in _plan.Graph.Sinks) await sink.InitializeAsync(CancellationToken.None);
        foreach (var id in _plan.Subtasks) _subtasks.Add(id, await RestoreAsync(id, inputs));
        foreach (var subtask in _subtasks.Values) Connect(subtask);
        foreach (var subtask in _subtasks.Values)
        {
            subtask.Context.Now = new Clock(wall, _elapsed);
            foreach (var step in subtask.Context.Operators) await step.OpenAsync(CancellationToken.None);
        }
    }

    /// <summary>Goes on until nothing moves.</summary>
    public Task RunAsync(long wall)
    {
        if (_failure is { } failure) throw new InvalidOperationException($"The job has failed; only {nameof(JobHarness.CrashAsync)} goes on from its last checkpoint. It failed with: {failure}");
        try
        {
            foreach (var ready in _waitingSplits) ready();
            _waitingSplits.Clear();
            _turns.Run(() =>
            {
                while (RunOnce(new Clock(wall, _elapsed)))
                {
                }
            });
            return Task.CompletedTask;
        }
        catch (Exception error)
        {
            _failure = error.Message;
            throw;
        }
    }

    /// <summary>Goes on until no record waits for an answer from outside either.</summary>
    public async Task SettleAsync(long wall)
    {
        await RunAsync(wall);
        while (_subtasks.Values.Any(static subtask => !subtask.Context.IsCalm))
        {
            await _turns.NextAsync();
            await RunAsync(wall);
        }
    }

    /// <summary>When something falls due by itself next, in wall-clock milliseconds; null when nothing will.</summary>
    public long? NextTime(long wall) => _subtasks.Values.Select(subtask => subtask.NextTime(new Clock(wall, _elapsed), noRoom: false)).Where(static due => due is not null).Min();

    /// <summary>Lets the monotonic clock go on with the wall clock.</summary>
    public void Pass(long milliseconds) => _elapsed += milliseconds;

    /// <summary>Takes a checkpoint of a job that rests.</summary>
    public async Task CheckpointAsync(long wall)
    {
        var barrier = new Barrier(new CheckpointId(Number, ++_lastCheckpoint), _segments.IsFullNext);
        foreach (var subtask in _subtasks.Values)
        {
            if (subtask.Source is not null || subtask.HasEnded) subtask.Trigger(barrier);
        }

        await RunAsync(wall);
        if (_taken.Count != _subtasks.Count && _subtasks.Values.Any(static subtask => !subtask.Context.IsCalm))
        {
            _failure = "a checkpoint that cannot be taken now";
            throw new InvalidOperationException($"A checkpoint waits for answers: calls are in flight behind an exchange, and input has ended or as many are as may. Give some, or await {nameof(JobHarness.SettleAsync)} first.");
        }

        if (_taken.Count != _subtasks.Count) throw new InvariantException($"Checkpoint {barrier.Checkpoint} reached {_taken.Count} of {_subtasks.Count} subtasks.");
        var stages = new Dictionary<string, List<SegmentChain>>();
        foreach (var (subtask, snapshot) in _taken)
        {
            await Task.WhenAll(snapshot.Preparing);
            if (!stages.TryGetValue(subtask.Context.Stage, out var chains)) stages.Add(subtask.Context.Stage, chains = []);
            chains.Add(await _segments.WriteAsync(subtask.Context, snapshot));
        }

        await _segments.PublishAsync(stages);
        var permit = new CommitPermit(barrier.Checkpoint);
        foreach (var (subtask, _) in _taken)
        {
            subtask.Context.State.Published(barrier.Checkpoint);
            foreach (var sink in subtask.Sinks) await sink.CommitAsync(permit, CancellationToken.None);
        }

        foreach (var output in Outputs) output.Keep();
        _taken.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var step in _subtasks.Values.SelectMany(static subtask => subtask.Context.Operators)) await step.DisposeAsync();
    }

    private async Task<Subtask> RestoreAsync(SubtaskId id, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> inputs)
    {
        var stage = _plan.Stages[id.Stage];
        var serializers = new StateSerializers(_services);
        var context = new SubtaskContext
        {
            Job = _plan.Job,
            Stage = stage.Name,
            Id = id,
            Attempt = Number,
            Incarnation = new Incarnation((Number.Number * 1_000_000L) + (id.Stage * 1000) + id.Index + 1),
            Parallelism = stage.Parallelism,
            MaxParallelism = _plan.MaxParallelism,
            Services = _services,
            Serializers = serializers,
            State = new SubtaskState(KeyGroups.Range(id.Index, stage.Parallelism, _plan.MaxParallelism), _plan.MaxParallelism, serializers),
            Splits = RecoveryPlan.SplitsOf(_plan, id, inputs),
        };
        var subtask = new Subtask(context, stage);
        await subtask.RestoreAsync(_segments.Store, _segments.Of(stage.Name), CancellationToken.None);
        return subtask;
    }

    private void Connect(Subtask subtask)
    {
        foreach (var output in subtask.Outputs) output.Address(Number, subtask.Context.Incarnation, _subtasks[output.To].Context.Incarnation);
        foreach (var input in subtask.Inputs) input.FromIncarnation = _subtasks[input.From].Context.Incarnation;
    }

    private bool RunOnce(Clock now)
    {
        var moved = _turns.TakeAll();
        moved |= Align(now);
        foreach (var subtask in _subtasks.Values)
        {
            moved |= Step(subtask, now);
            moved |= Deliver(subtask);
        }

        return moved;
    }

    /// <summary>Tells the subtasks of each alignment group how far the others have come, as the coordinator does; true when that is news to one.</summary>
    private bool Align(Clock now)
    {
        foreach (var id in _alignment.Subtasks) _alignment.Note(id, _subtasks[id].Context.Alignment!.Lowest);
        var isNews = false;
        foreach (var id in _alignment.Subtasks)
        {
            var others = _alignment.LowestOfOthers(id);
            _subtasks[id].Align(others, now.Elapsed);
            isNews |= !_told.TryGetValue(id, out var told) || told != others;
            _told[id] = others;
        }

        return isNews;
    }

    /// <summary>Lets a subtask go on until it has nothing to do, or no room.</summary>
    private bool Step(Subtask subtask, Clock now)
    {
        for (var moved = false; ; moved = true)
        {
            var result = subtask.Step(now);
            switch (result.Kind)
            {
                case StepKind.Dry:
                    subtask.FlushAll();
                    if (subtask.NextTime(now, noRoom: false) <= now.Wall) continue;
                    AwaitSplits(subtask);
                    return moved;
                case StepKind.NoRoom:
                    subtask.FlushAll();
                    AwaitSplits(subtask);
                    return moved;
                case StepKind.Snapshot:
                    _taken.Add((subtask, result.Taken!));
                    break;
                default:
                    // What a step made leaves at once, so that a watermark does not come behind records that followed it.
                    subtask.FlushAll();
                    break;
            }
        }
    }

    private void AwaitSplits(Subtask subtask)
    {
        while (subtask.Source is { } source && source.TryTakeWaiting(out _, out var ready)) _waitingSplits.Add(ready);
    }

    private bool Deliver(Subtask subtask)
    {
        var moved = false;
        foreach (var output in subtask.Outputs)
        {
            while (output.TryTakeNext(out var envelope))
            {
                moved = true;
                if (_subtasks[output.To].Accept(envelope, out var processed) is { } refusal) throw new InvariantException($"Subtask {output.To} refused an envelope of {subtask.Context.Id}: {refusal}.");
                output.Credit(processed);
            }
        }

        for (var channel = 0; channel < subtask.Inputs.Count; channel++)
        {
            var input = subtask.Inputs[channel];
            if (!input.TryTakeCredit(out var processed)) continue;
            moved = true;
            foreach (var output in _subtasks[input.From].Outputs)
            {
                if (output.To == subtask.Context.Id && output.ReceiverChannel == channel) output.Credit(processed);
            }
        }

        return moved;
    }
}
