using OrleansStream.State;

namespace OrleansStream.Testing;

/// <summary>What a test may ask of windows between two steps.</summary>
public sealed partial class JobHarness
{
    /// <summary>How many windows of all keys an operator keeps: open ones, and those that are kept for late records. Of sliding windows that share what they have in common, how many panes.</summary>
    public int WindowCount(string operatorName)
    {
        var count = 0;
        foreach (var part in _attempt.SubtasksOf(operatorName).SelectMany(static subtask => subtask.Context.State.Parts))
        {
            if (part is IWindowTable windows && part.Operator == operatorName) count += windows.Count;
            if (part is IKeyedTable keyed && part.Operator == WindowKey.TableOf(operatorName)) count += keyed.KeyCount;
        }

        return count;
    }
}
