using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Checkpoints;

/// <summary>What people and metrics are told of an attempt's checkpoints.</summary>
internal sealed partial class CheckpointDriver
{
    /// <summary>How many checkpoints are remembered for people.</summary>
    private const int Remembered = 20;

    private readonly List<CheckpointNote> _notes = [];

    /// <summary>The latest checkpoints, newest first.</summary>
    public IReadOnlyList<CheckpointNote> Notes => _notes;

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
    }

    private void NoteCommitted() => _notes[0].IsCommitted = true;

    private void NoteGivenUp() => _notes[0].IsGivenUp = true;
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
}
