using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

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

    /// <summary>Half of the bytes of an object are in the store, or some of its blocks, and it has no name yet.</summary>
    ObjectHalfWritten,

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

    /// <summary>The checkpoint of a planned move is published and its attempt has ended, and the next one has not begun.</summary>
    MovePublished,

    /// <summary>A silo that leaves has ended its attempt of a job, and no other silo has the job.</summary>
    HandOverBegun,

    /// <summary>A silo that leaves has given a job to another one, and has not left.</summary>
    HandOverGiven,

    /// <summary>Timers and windows of a watermark are firing.</summary>
    Firing,

    /// <summary>The final checkpoint is published, and the job is not said to be finished.</summary>
    FinalPublished,
}

/// <summary>
/// Makes this process kill itself, as <c>kill -9</c> does, or stop until it is continued, as <c>kill -STOP</c> does, when a <see cref="FaultPoint"/> is passed for the n-th time: for tests of
/// recovery, in release builds too. Where no variable is set, a point costs nothing.
/// </summary>
internal static partial class FaultPoints
{
    /// <summary>The environment variable of a kill: <c>published:3</c> for the third passing of a point, <c>published</c> for the first.</summary>
    public const string Variable = "ORLEANSSTREAM_KILL_AT";

    /// <summary>The environment variable of a stop, read in the same way. A process has one fault: either variable.</summary>
    public const string StopVariable = "ORLEANSSTREAM_STOP_AT";

    private static readonly int StopSignal = OperatingSystem.IsMacOS() ? 17 : 19;

    // Constants to the compiler that makes the final code, so that nothing is left of a point that is not armed.
    private static readonly bool IsArmed;
    private static readonly bool IsStop;
    private static readonly FaultPoint Point;
    private static readonly int Passing;
    private static int _passed;

    static FaultPoints()
    {
        if (Set() is not [var (variable, text)] || Parse(text) is not var (point, passing)) return;
        (IsArmed, IsStop, Point, Passing) = (true, variable == StopVariable, point, passing);
    }

    /// <summary>Called when a silo is set up: a value that names no point would leave a test without its fault.</summary>
    /// <exception cref="JobRefusedException">A variable is set to something that is no point, or both are set, or a stop is asked for where there is none.</exception>
    public static void RequireKnown()
    {
        var set = Set();
        if (set.Count > 1) throw new JobRefusedException($"{Variable} and {StopVariable} are both set: a process has one fault.");
        foreach (var (variable, text) in set)
        {
            if (Parse(text) is null)
            {
                throw new JobRefusedException(
                    $"{variable} is '{text}': it takes a point, and behind a colon the number of its passing, from 1. Points: {string.Join(", ", Enum.GetValues<FaultPoint>().Select(NameOf))}.");
            }

            if (variable == StopVariable && OperatingSystem.IsWindows()) throw new JobRefusedException($"{StopVariable} is set: Windows has no signal that stops a process.");
        }
    }

    /// <summary>Passes a point: the process ends or stops here when it is the one that was asked for.</summary>
    public static void Pass(FaultPoint point)
    {
        if (IsArmed && point == Point && Interlocked.Increment(ref _passed) == Passing) Act();
    }

    /// <summary>Whether the fault of this process is at a point: for a point in the middle of what is one step otherwise.</summary>
    public static bool IsAt(FaultPoint point) => IsArmed && point == Point;

    /// <summary>The name of a point: <c>manifest-written</c>.</summary>
    public static string NameOf(FaultPoint point) => string.Concat($"{point}".Select(static (letter, index) => char.IsUpper(letter) ? $"{(index > 0 ? "-" : "")}{char.ToLowerInvariant(letter)}" : $"{letter}"));

    /// <summary>Reads the value of a variable; null when it says nothing that can be done.</summary>
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

    private static List<(string Variable, string Text)> Set()
    {
        var set = new List<(string, string)>();
        foreach (var variable in (string[])[Variable, StopVariable])
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text) set.Add((variable, text));
        }

        return set;
    }

    private static void Act()
    {
        Console.Error.WriteLine($"{(IsStop ? StopVariable : Variable)}: {(IsStop ? "stopped" : "killed")} at {NameOf(Point)}, passing {Passing}");
        Console.Error.Flush();
        if (IsStop)
        {
            // All threads stop. Whoever continues the process lets this one go on from here.
            if (Signal(Environment.ProcessId, StopSignal) != 0) throw new InvalidOperationException($"{StopVariable}: the process could not stop itself.");
            return;
        }

        using var self = Process.GetCurrentProcess();
        self.Kill();
        // The signal is on its way; nothing may be done meanwhile.
        Thread.CurrentThread.Join();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);
}
