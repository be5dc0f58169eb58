using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Checkpoints;

/// <summary>What people and metrics are told of an attempt's checkpoints.</summary>
internal sealed partial class CheckpointDriver
{
    /// <summary>How many checkpoints are remembered for people.</summary>
    private const int Remembered = 20;

    private readonly List<CheckpointNote> _notes = [];

    /// <summary>The latest checkpoints, newest first.</summary>
    public IReadOnlyList<CheckpointNote> Notes => _notes;

    /// <summary>The latest report of each subtask, with its rates.</summary>
    private readonly Dictionary<SubtaskId, (SubtaskReport Report, long AtMs, double PerSecond, double BackPressure)> _reports = [];

    /// <summary>What the attempt's stages and checkpoints are doing.</summary>
    public AttemptReport Report() => new(
        [.. _plan.Stages.Select(StatusOf)],
        [.. _notes.Select(static note => note.ToStatus())],
        StoreTrouble,
        _opening.Restored?.Id.ToString(),
        SourceProgress.Of(_reports.OrderBy(static report => report.Key.Stage).ThenBy(static report => report.Key.Index).Select(static report => report.Value.Report), _time.GetUtcNow()));

    private StageStatus StatusOf(PlannedStage stage) => new()
    {
        Name = stage.Name,
        Operators = [.. stage.Nodes.Select(static node => node.Name)],
        Reads = [.. stage.Above.Select(static above => above.Name)],
        Subtasks = [.. Enumerable.Range(0, stage.Parallelism).Select(index => StatusOf(new SubtaskId(stage.Index, index)))],
    };

    private SubtaskStatus StatusOf(SubtaskId subtask)
    {
        var silo = _table?.Addresses[subtask].Silo ?? "";
        if (!_reports.TryGetValue(subtask, out var latest)) return new SubtaskStatus { Index = subtask.Index, Silo = silo };
        var report = latest.Report;
        return new SubtaskStatus
        {
            Index = subtask.Index,
            Silo = silo,
            RecordsIn = report.RecordsIn,
            RecordsOut = report.RecordsOut,
            RecordsPerSecond = latest.PerSecond,
            LateRecords = report.LateRecords,
            DeadLetters = report.DeadLetters,
            BadRecords = report.BadRecords,
            Watermark = EventTime.ToDateTime(report.Watermark),
            BackPressure = latest.BackPressure,
            HasEnded = report.HasEnded,
            Position = report.Position,
        };
    }

    private void NoteReport(SubtaskReport report)
    {
        var now = Now();
        var (perSecond, backPressure) = (0d, 0d);
        if (_reports.TryGetValue(report.Subtask, out var before) && now > before.AtMs)
        {
            perSecond = (report.RecordsIn - before.Report.RecordsIn) * 1000d / (now - before.AtMs);
            backPressure = Math.Clamp((report.BackPressuredMs - before.Report.BackPressuredMs) / (double)(now - before.AtMs), 0, 1);
        }

        _reports[report.Subtask] = (report, now, perSecond, backPressure);
    }

    private void NoteBegun(Barrier barrier)
    {
        _notes.Insert(0, new CheckpointNote { Id = barrier.Checkpoint, At = _time.GetUtcNow(), BeganMs = Now() });
        if (_notes.Count > Remembered) _notes.RemoveAt(Remembered);
    }

    private void Note(Receipt receipt)
    {
        if (_notes.Count == 0 || _notes[0].Id != receipt.Checkpoint) return;
        _notes[0].WrittenBytes += receipt.Segment.LengthBytes;
        _notes[0].LongestStallMs = Math.Max(_notes[0].LongestStallMs, receipt.StallMs);
    }

    private void NotePublished(ManifestRef reference)
    {
        _notes[0].IsPublished = true;
        _notes[0].IsFull = reference.Generation == reference.Id;
        _notes[0].StateBytes = reference.StateBytes;
        _notes[0].DurationMs = Now() - _notes[0].BeganMs;
        StoreTrouble = null;
        OnPublished?.Invoke(reference.Id, _notes[0]);
    }

    /// <summary>Hears of each checkpoint that was published.</summary>
    public Action<CheckpointId, CheckpointNote>? OnPublished { get; set; }

    private void NoteCommitted() => _notes[0].IsCommitted = true;

    private void NoteGivenUp()
    {
        _notes[0].IsGivenUp = true;
        _notes[0].DurationMs = Now() - _notes[0].BeganMs;
        OnGivenUp?.Invoke(_notes[0], WhoIsMissing());
    }

    /// <summary>Hears of each checkpoint that was given up, and which subtasks it waited for.</summary>
    public Action<CheckpointNote, string>? OnGivenUp { get; set; }

    /// <summary>The subtasks that the current checkpoint waits for, in words: the first of them say most, as those below wait for them.</summary>
    private string WhoIsMissing()
    {
        const int Named = 4;
        var missing = _protocol.Missing.ToList();
        var names = string.Join(", ", missing.Take(Named).Select(subtask => $"'{_plan.Stages[subtask.Stage].Name}' {subtask.Index}"));
        return $"{missing.Count} of {_table.Addresses.Count} subtasks: {names}{(missing.Count > Named ? ", …" : "")}";
    }
}

/// <summary>One checkpoint, for people.</summary>
internal sealed class CheckpointNote
{
    public required CheckpointId Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required long BeganMs { get; init; }

    public long DurationMs { get; set; }

    public long WrittenBytes { get; set; }

    public long StateBytes { get; set; }

    public double LongestStallMs { get; set; }

    public bool IsFull { get; set; }

    public bool IsPublished { get; set; }

    public bool IsCommitted { get; set; }

    public bool IsGivenUp { get; set; }

    public CheckpointStatus ToStatus() => new()
    {
        Id = Id.ToString(),
        At = At,
        State = IsCommitted ? "committed" : IsPublished ? "published" : IsGivenUp ? "given up" : "in flight",
        IsFull = IsFull,
        Duration = TimeSpan.FromMilliseconds(DurationMs),
        WrittenBytes = WrittenBytes,
        StateBytes = StateBytes,
        LongestStall = TimeSpan.FromMilliseconds(LongestStallMs),
    };
}

/// <summary>What a coordinator tells of its attempt.</summary>
[GenerateSerializer, Immutable]
internal sealed record AttemptReport(
    [property: Id(0)] IReadOnlyList<StageStatus> Stages,
    [property: Id(1)] IReadOnlyList<CheckpointStatus> Checkpoints,
    [property: Id(2)] string? StoreTrouble,
    [property: Id(3)] string? RestoredFrom,
    [property: Id(4)] IReadOnlyList<SourceStatus> Sources);
