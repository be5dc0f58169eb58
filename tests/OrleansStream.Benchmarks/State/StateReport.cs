using System.Text.Json;
using OrleansStream.Benchmarks.Watches;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.State;

/// <summary>The times in which subtasks did nothing: that of the median, and the longest of all.</summary>
internal readonly record struct Gaps(TimeSpan Median, TimeSpan Longest)
{
    public static Gaps Of(IReadOnlyList<Beats> subtasks, long from, long to)
    {
        var gaps = subtasks.SelectMany(beats => beats.Gaps(from, to)).Order().ToList();
        return gaps.Count == 0 ? default : new Gaps(gaps[gaps.Count / 2], gaps[^1]);
    }
}

/// <summary>A full checkpoint under load, with what was seen from a second before it to its end.</summary>
internal sealed record LoadedCheckpoint(
    CheckpointStatus Checkpoint, Gaps KeyedBefore, Gaps KeyedDuring, Gaps SourceBefore, Gaps SourceDuring, TimeSpan LongestPause, long BytesBefore, long BytesDuring, double PerSecond);

/// <summary>What a second silo made of the checkpoints.</summary>
/// <param name="From">The last checkpoint of the first silo.</param>
/// <param name="IsFromLast">Whether the job went on from that one.</param>
/// <param name="ToFirstRecord">From the start of the job until every subtask had processed a record.</param>
/// <param name="ToState">From the start of the job until the last subtask had its state.</param>
/// <param name="Keys">How many keys there are.</param>
/// <param name="Seen">How many keys were looked at.</param>
/// <param name="Given">Updates that the restored offsets stand for.</param>
/// <param name="Counted">Updates that the restored values stand for, all keys together.</param>
/// <param name="Wrong">Keys whose sum was not their count.</param>
internal sealed record RestoredState(
    CheckpointStatus From, bool IsFromLast, TimeSpan ToFirstRecord, TimeSpan ToState, long Keys, long Seen, long Given, long Counted, long Wrong)
{
    public bool IsRight => IsFromLast && Keys == Seen && Given == Counted && Wrong == 0;
}

internal sealed record StateFigures(double RatePerSecond, LoadedCheckpoint Loaded, CheckpointStatus OnePercent, CheckpointStatus TenPercent, RestoredState Restored);

internal sealed class StateReport(RunSettings settings, string command, StateFigures figures)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Machine _machine = Machine.Observe(settings);

    public void Print(TextWriter to)
    {
        to.WriteLine(Text($"state: {settings.Keys:N0} int keys with values of {settings.ValueBytes} bytes, parallelism {settings.Parallelism}, {settings.StorageText}"));
        to.WriteLine(_machine.ToString());
        to.WriteLine($"command: {command}");
        to.WriteLine();
        to.WriteLine("| figure | measured | asked |");
        to.WriteLine("| --- | --- | --- |");
        foreach (var (figure, measured, asked, isMet) in Rows()) to.WriteLine($"| {figure} | {measured} | {asked}{(isMet is { } met ? met ? ": yes" : ": NO" : "")} |");
        to.WriteLine();
        to.WriteLine("A gap is the time between two batches that a subtask processed, collections included: input was due all the time. A full checkpoint comes when the deltas have grown as large as the last one.");
        if (!figures.Restored.IsRight) to.WriteLine("THE RESTORED STATE IS WRONG.");
    }

    public string ToJson() => JsonSerializer.Serialize(
        new { workload = "state", settings, command, machine = _machine, rows = Rows().Select(static row => new { row.Figure, row.Measured, row.Asked, row.IsMet }), figures },
        Indented);

    private IEnumerable<(string Figure, string Measured, string Asked, bool? IsMet)> Rows()
    {
        var (loaded, restored) = (figures.Loaded, figures.Restored);
        var full = loaded.Checkpoint;
        yield return ("updates/s offered", Text($"{figures.RatePerSecond:N0}"), "", null);
        yield return ("updates/s processed, from 1 s before the full checkpoint to its end", Text($"{loaded.PerSecond:N0}"), "as offered", loaded.PerSecond >= figures.RatePerSecond * 0.97);
        yield return ("full checkpoint under load", Text($"{full.Duration.TotalMilliseconds:0} ms, {Mebibytes(full.WrittenBytes)}, {(double)full.WrittenBytes / settings.Keys:0.0} bytes/key"), "", null);
        yield return ("the engine's own figure of its freeze", Text($"{full.LongestStall.TotalMilliseconds:0.00} ms"), "", null);
        yield return ("gaps of keyed subtasks in the second before, p50 and longest", Show(loaded.KeyedBefore), "", null);
        yield return ("gaps of keyed subtasks during", Show(loaded.KeyedDuring), "longest < 50 ms", IsShort(loaded.KeyedDuring));
        yield return ("gaps of source subtasks in the second before", Show(loaded.SourceBefore), "", null);
        yield return ("gaps of source subtasks during", Show(loaded.SourceDuring), "longest < 50 ms", IsShort(loaded.SourceDuring));
        yield return ("longest GC pause under load", Text($"{loaded.LongestPause.TotalMilliseconds:0.0} ms"), "", null);
        var ratio = (double)loaded.BytesDuring / loaded.BytesBefore;
        yield return ("resident memory before, peak during, ratio", Text($"{Mebibytes(loaded.BytesBefore)}, {Mebibytes(loaded.BytesDuring)}, {ratio:0.00}"), "< 1.5", ratio < 1.5);
        yield return ("delta of 1 % of the keys", Delta(figures.OnePercent, full), "< 5 % of full", Share(figures.OnePercent, full) < 5);
        yield return ("delta of 10 % of the keys", Delta(figures.TenPercent, full), "", null);
        yield return (
            "restored: from the job's start to the first record in all subtasks", Text($"{restored.ToFirstRecord.TotalSeconds:0.00} s"), "10 M keys < 10 s", restored.ToFirstRecord.TotalSeconds < 10);
        yield return ("of that, until all state was read", Text($"{restored.ToState.TotalSeconds:0.00} s, {Mebibytes(restored.From.StateBytes)}"), "", null);
        yield return (
            "restored values: keys seen, updates counted of updates given", Text($"{restored.Seen:N0}, {restored.Counted:N0} of {restored.Given:N0}, {restored.Wrong} wrong"), "all", restored.IsRight);
    }

    private static bool IsShort(Gaps gaps) => gaps.Longest.TotalMilliseconds < 50;

    private static string Show(Gaps gaps) => Text($"{gaps.Median.TotalMilliseconds:0.00} ms, {gaps.Longest.TotalMilliseconds:0.0} ms");

    private static double Share(CheckpointStatus delta, CheckpointStatus full) => 100d * delta.WrittenBytes / full.WrittenBytes;

    private static string Delta(CheckpointStatus delta, CheckpointStatus full) => Text(
        $"{Mebibytes(delta.WrittenBytes)}, {Share(delta, full):0.00} % of full; {delta.Duration.TotalMilliseconds:0} ms, {100 * delta.Duration / full.Duration:0.0} % of full");

    private static string Mebibytes(long bytes) => bytes < 1 << 20 ? Text($"{bytes / 1024d:0.0} KiB") : Text($"{bytes / 1048576d:0.0} MiB");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
