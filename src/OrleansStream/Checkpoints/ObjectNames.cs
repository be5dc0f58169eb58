using System.Globalization;
using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>
/// Makes and reads the names of all objects of a job. A name carries the attempt that wrote the object, and numbers within an attempt are never
/// reused, so no two writers ever mean different things by one name.
/// </summary>
internal static class ObjectNames
{
    private const string Log = "log";
    private const string Manifests = "manifests";
    private const string Segments = "segments";

    /// <summary>Begins the names of everything of a job's attempts.</summary>
    public static string Attempts(string job) => $"jobs/{CheckPart(job)}/attempts/";

    /// <summary>Begins the names of everything of one attempt.</summary>
    public static string Of(string job, Attempt attempt)
    {
        if (attempt.Number < 1) throw new ArgumentException("A default attempt names no attempt.", nameof(attempt));
        return string.Create(CultureInfo.InvariantCulture, $"{Attempts(job)}{attempt.Number:D8}/");
    }

    /// <summary>Names an entry of an attempt's log.</summary>
    public static string LogEntry(string job, Attempt attempt, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        return string.Create(CultureInfo.InvariantCulture, $"{Of(job, attempt)}{Log}/{number:D12}");
    }

    /// <summary>Names a checkpoint's manifest.</summary>
    public static string Manifest(string job, CheckpointId checkpoint) =>
        string.Create(CultureInfo.InvariantCulture, $"{Of(job, checkpoint.Attempt)}{Manifests}/{CheckNumber(checkpoint):D12}");

    /// <summary>Names the segment that one opening of a subtask writes for a checkpoint.</summary>
    public static string Segment(string job, CheckpointId checkpoint, string stage, int index, Incarnation incarnation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Of(job, checkpoint.Attempt)}{Segments}/{CheckNumber(checkpoint):D12}-{CheckPart(stage)}-{index}-{incarnation}");
    }

    /// <summary>Tells which attempt wrote an object, or null when the name is none of the job's.</summary>
    public static Attempt? AttemptOf(string job, string name) => Split(job, name) is var (attempt, _, _) ? attempt : null;

    /// <summary>Tells the attempt and number of a log entry, or null when the name is none of a log entry of the job.</summary>
    public static (Attempt Attempt, long Number)? LogEntryOf(string job, string name) =>
        Split(job, name) is var (attempt, kind, rest) && kind == Log && TryNumber(rest, out var number) ? (attempt, number) : null;

    /// <summary>Whether the name is that of a manifest or a segment of the job: what is deleted when no kept checkpoint names it.</summary>
    public static bool BelongsToCheckpoint(string job, string name) => Split(job, name) is var (_, kind, _) && kind is Manifests or Segments;

    private static (Attempt Attempt, string Kind, string Tail)? Split(string job, string name)
    {
        var prefix = Attempts(job);
        if (!name.StartsWith(prefix, StringComparison.Ordinal)) return null;
        var parts = name[prefix.Length..].Split('/', 3);
        return parts.Length == 3 && TryNumber(parts[0], out var attempt) && attempt is >= 1 and <= int.MaxValue
            ? (new Attempt((int)attempt), parts[1], parts[2])
            : null;
    }

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static long CheckNumber(CheckpointId checkpoint) =>
        checkpoint.Number >= 1 ? checkpoint.Number : throw new ArgumentException($"Checkpoint numbers begin at 1; {checkpoint} has none.", nameof(checkpoint));

    private static string CheckPart(string part)
    {
        var good = part.Length is >= 1 and <= 64;
        foreach (var c in part) good &= c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-';
        return good ? part : throw new ArgumentException($"'{part}' cannot be part of an object's name: use 1 to 64 of a-z, 0-9 and '-'.", nameof(part));
    }
}
