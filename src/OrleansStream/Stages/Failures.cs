using OrleansStream.Functions;
using OrleansStream.Time;

namespace OrleansStream.Stages;

/// <summary>What an operator does with a record at which its function threw.</summary>
internal sealed class Failures<T>(SubtaskContext context, string operatorName, OnError onError, Output<DeadLetter<T>> deadLetters)
{
    /// <summary>Whether effects of a record must be held back until its function has returned.</summary>
    public bool MustUndo => onError == OnError.DeadLetter;

    /// <summary>Sends the record to the dead letters, or ends the attempt.</summary>
    public void Take(Exception error, T record, long timestamp, string? key = null)
    {
        if (onError == OnError.Fail)
        {
            var at = context.Position is { } position ? $", near {position}" : "";
            var ofKey = key is null ? "" : $", key '{key}'";
            throw new FunctionException(
                $"Job '{context.Job}', stage '{context.Stage}', operator '{operatorName}', subtask {context.Id.Index}{ofKey}, event time {EventTime.Show(timestamp)}{at}: "
                + $"the function threw {error.GetType().Name}: {error.Message}",
                error);
        }

        context.Counters.DeadLetters++;
        deadLetters.Emit(new DeadLetter<T>(operatorName, record, timestamp, key, $"{error.GetType().Name}: {error.Message}"), timestamp);
    }

    /// <summary>What ends the attempt when a function threw that had no record in hand: there is nothing to put aside.</summary>
    public FunctionException WithoutRecord(Exception error, string where) => new(
        $"Job '{context.Job}', stage '{context.Stage}', operator '{operatorName}', subtask {context.Id.Index}, {where}: the function threw {error.GetType().Name}: {error.Message}", error);

    public void Flush() => deadLetters.Flush();

    public void Watermark(long watermark) => deadLetters.Watermark(watermark);
}

internal static class Failures
{
    /// <summary>What a function may throw; what the engine throws by itself is never a record's fault.</summary>
    public static bool IsOfFunction(Exception error) => error is not (Jobs.StreamException or InvariantException or OutOfMemoryException);
}

/// <summary>What was called is gone for good: its silo has left the cluster, or its activation was never opened there. No use in calling again.</summary>
[GenerateSerializer]
internal sealed class GoneException(string message) : Jobs.StreamException(message);

/// <summary>An invariant of the engine that does not hold. It ends the attempt.</summary>
[GenerateSerializer]
internal sealed class InvariantException(string message) : Exception(message);
