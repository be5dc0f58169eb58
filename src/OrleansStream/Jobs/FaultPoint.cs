using System.Diagnostics;
using System.Globalization;

namespace OrleansStream.Jobs;

/// <summary>Moments between two steps of the protocols, at which a silo may be made to die. Named in kebab case by <see cref="FaultPoints.Variable"/>.</summary>
internal enum FaultPoint
{
    /// <summary>A source has handed on what it read.</summary>
    SourceRead,

    /// <summary>An attempt's log is sealed, and the next attempt has not begun.</summary>
    AttemptSealed,

    /// <summary>An attempt's first entry is written, and no subtask is open.</summary>
    AttemptStarted,

    /// <summary>On recovery, some of the output that waited is committed.</summary>
    PendingCommitted,

    /// <summary>A subtask has read some of its state.</summary>
    PartlyRestored,

    /// <summary>Some subtasks have the table and run.</summary>
    TableGiven,

    /// <summary>Some subtasks have been asked for a checkpoint.</summary>
    BarrierSent,

    /// <summary>A subtask has the barrier on some of its channels.</summary>
    BarrierAligning,

    /// <summary>A subtask has frozen its state and written the barrier behind its output.</summary>
    Frozen,

    /// <summary>All of an object is in the store, as a file of a local folder or as blocks of a blob, and it has no name yet.</summary>
    ObjectUnnamed,

    /// <summary>A segment is written, and nobody knows.</summary>
    SegmentWritten,

    /// <summary>A sink's output is prepared, and nobody knows.</summary>
    SinkPrepared,

    /// <summary>All receipts are in, and there is no manifest.</summary>
    ReceiptsComplete,

    /// <summary>The manifest is written, and not published.</summary>
    ManifestWritten,

    /// <summary>The checkpoint is published, and nobody knows.</summary>
    Published,

    /// <summary>A sink has committed, and nobody knows.</summary>
    SinkCommitted,

    /// <summary>Checkpoints are dropped, and nothing of them is deleted.</summary>
    Dropped,

    /// <summary>Timers and windows of a watermark are firing.</summary>
    Firing,

    /// <summary>The final checkpoint is published, and the job is not said to be finished.</summary>
    FinalPublished,
}

/// <summary>
/// Makes this process kill itself, as <c>kill -9</c> does, when a <see cref="FaultPoint"/> is passed for the n-th time: for tests of recovery, in release builds too. Where the variable
/// is not set, a point costs nothing.
/// </summary>
internal static class FaultPoints
{
    /// <summary>The environment variable: <c>published:3</c> for the third passing of a point, <c>published</c> for the first.</summary>
    public const string Variable = "ORLEANSSTREAM_KILL_AT";

    // Constants to the compiler that makes the final code, so that nothing is left of a point that is not armed.
    private static readonly bool IsArmed;
    private static readonly FaultPoint Point;
    private static readonly int Passing;
    private static int _passed;

    static FaultPoints()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text || Parse(text) is not var (point, passing)) return;
        (IsArmed, Point, Passing) = (true, point, passing);
    }

    /// <summary>Called when a silo is set up: a value that names no point would leave a test without its fault.</summary>
    /// <exception cref="JobRefusedException">The variable is set to something that is no point.</exception>
    public static void RequireKnown()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text || Parse(text) is not null) return;
        throw new JobRefusedException($"{Variable} is '{text}': it takes a point, and behind a colon the number of its passing, from 1. Points: {string.Join(", ", Enum.GetValues<FaultPoint>().Select(NameOf))}.");
    }

    /// <summary>Passes a point: the process ends here when it is the one that was asked for.</summary>
    public static void Pass(FaultPoint point)
    {
        if (IsArmed && point == Point && Interlocked.Increment(ref _passed) == Passing) Kill();
    }

    /// <summary>The name of a point: <c>manifest-written</c>.</summary>
    public static string NameOf(FaultPoint point) => string.Concat($"{point}".Select(static (letter, index) => char.IsUpper(letter) ? $"{(index > 0 ? "-" : "")}{char.ToLowerInvariant(letter)}" : $"{letter}"));

    /// <summary>Reads the value of the variable; null when it says nothing that can be done.</summary>
    public static (FaultPoint Point, int Passing)? Parse(string text)
    {
        var (name, count) = text.Split(':', 2) is [var before, var after] ? (before, after) : (text, "1");
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var passing) || passing < 1) return null;
        foreach (var point in Enum.GetValues<FaultPoint>())
        {
            if (NameOf(point) == name) return (point, passing);
        }

        return null;
    }

    private static void Kill()
    {
        Console.Error.WriteLine($"{Variable}: killed at {NameOf(Point)}, passing {Passing}");
        Console.Error.Flush();
        using var self = Process.GetCurrentProcess();
        self.Kill();
        // The signal is on its way; nothing may be done meanwhile.
        Thread.CurrentThread.Join();
    }
}
