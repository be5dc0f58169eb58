using System.Globalization;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream;

/// <summary>
/// Names one part of a file sink's output. All numbers have a fixed width, so that names sort by attempt, checkpoint and subtask; the incarnation keeps apart what
/// two openings of one subtask wrote.
/// </summary>
internal readonly record struct PartName(CheckpointId Checkpoint, int Subtask, Incarnation Incarnation)
{
    /// <summary>Of a part that is still written to; nobody names it.</summary>
    public const string WritingEnding = ".writing";

    /// <summary>Of a part that is whole and durable and waits for its permit.</summary>
    public const string StagedEnding = ".staged";

    /// <summary>Of a part that is committed: readers may read it.</summary>
    public const string CommittedEnding = ".jsonl";

    private const int StemLength = 10 + 1 + 19 + 1 + 5 + 1 + 16;

    public string Staged => Stem + StagedEnding;

    public string Committed => Stem + CommittedEnding;

    private string Stem => string.Create(CultureInfo.InvariantCulture, $"{Checkpoint.Attempt.Number:D10}-{Checkpoint.Number:D19}-{Subtask:D5}-{Incarnation.Value:x16}");

    /// <summary>The name of a part before its checkpoint is known.</summary>
    public static string Writing(SinkContext context, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{context.Attempt.Number:D10}-{context.Subtask:D5}-{context.Incarnation.Value:x16}-{number:D10}{WritingEnding}");

    /// <summary>The attempt that staged or writes a part, or null when the name is not one of such a part.</summary>
    public static Attempt? UncommittedOf(string fileName)
    {
        if (TryParse(fileName, out var part)) return fileName == part.Staged ? part.Checkpoint.Attempt : null;
        return fileName.EndsWith(WritingEnding, StringComparison.Ordinal) && fileName.Length > 10
            && int.TryParse(fileName.AsSpan(0, 10), NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) && attempt > 0 ? new Attempt(attempt) : null;
    }

    /// <summary>Reads a file's name; false when it is not one of a staged or committed part.</summary>
    public static bool TryParse(string fileName, out PartName name)
    {
        name = default;
        if (fileName.Length < StemLength || fileName[StemLength..] is not (StagedEnding or CommittedEnding)) return false;
        var stem = fileName[..StemLength];
        if (!int.TryParse(stem.AsSpan(0, 10), NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) || attempt < 1 ||
            !long.TryParse(stem.AsSpan(11, 19), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ||
            !int.TryParse(stem.AsSpan(31, 5), NumberStyles.None, CultureInfo.InvariantCulture, out var subtask) ||
            !long.TryParse(stem.AsSpan(37, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var incarnation))
            return false;
        name = new PartName(new CheckpointId(new Attempt(attempt), number), subtask, new Incarnation(incarnation));
        return name.Stem == stem;
    }
}

/// <summary>What a manifest keeps of a prepared part: its name and its length, so that one that was cut short is not committed.</summary>
internal readonly record struct PartHandle(PartName Name, long Bytes)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name.Staged}:{Bytes}");

    /// <summary>Reads the handle of a pending output and checks that it names that output's part.</summary>
    public static PartHandle Parse(PendingOutput output)
    {
        var colon = output.Handle.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !PartName.TryParse(output.Handle[..colon], out var name) || output.Handle[..colon] != name.Staged ||
            !long.TryParse(output.Handle.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
            throw new StreamException($"The handle '{output.Handle}' of subtask {output.Subtask} at checkpoint {output.Checkpoint} names no part of a file sink.");
        return name.Checkpoint == output.Checkpoint && name.Subtask == output.Subtask
            ? new PartHandle(name, bytes)
            : throw new StreamException($"The handle '{output.Handle}' is not one of subtask {output.Subtask} at checkpoint {output.Checkpoint}.");
    }
}
