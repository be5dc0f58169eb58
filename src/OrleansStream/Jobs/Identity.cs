using System.Globalization;

namespace OrleansStream.Jobs;

/// <summary>One run of a job between failures; counted from 1 and never reused within the job's history.</summary>
[GenerateSerializer, Immutable, Alias("os.Attempt")]
public readonly record struct Attempt : IComparable<Attempt>
{
    /// <summary>Makes the attempt with the given number.</summary>
    /// <param name="number">The number, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="number"/> is below 1.</exception>
    public Attempt(int number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        Number = number;
    }

    /// <summary>The number, 1 or more; 0 only in a default value, which names no attempt.</summary>
    [Id(0)]
    public int Number { get; }

    /// <summary>The first attempt of a history.</summary>
    public static Attempt First => new(1);

    /// <summary>The attempt after this one.</summary>
    public Attempt Next => new(Number + 1);

    /// <inheritdoc/>
    public int CompareTo(Attempt other) => Number.CompareTo(other.Number);

    /// <inheritdoc/>
    public override string ToString() => Number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Names one checkpoint of a job: the attempt that took it and its number within the attempt; never reused.</summary>
/// <param name="Attempt">The attempt that took the checkpoint.</param>
/// <param name="Number">Its number within the attempt, counted from 1.</param>
[GenerateSerializer, Immutable, Alias("os.CheckpointId")]
public readonly record struct CheckpointId([property: Id(0)] Attempt Attempt, [property: Id(1)] long Number) : IComparable<CheckpointId>
{
    /// <inheritdoc/>
    public int CompareTo(CheckpointId other) => Attempt != other.Attempt ? Attempt.CompareTo(other.Attempt) : Number.CompareTo(other.Number);

    /// <summary>Later checkpoints compare greater.</summary>
    public static bool operator <(CheckpointId left, CheckpointId right) => left.CompareTo(right) < 0;

    /// <summary>Later checkpoints compare greater.</summary>
    public static bool operator >(CheckpointId left, CheckpointId right) => left.CompareTo(right) > 0;

    /// <summary>Later checkpoints compare greater.</summary>
    public static bool operator <=(CheckpointId left, CheckpointId right) => left.CompareTo(right) <= 0;

    /// <summary>Later checkpoints compare greater.</summary>
    public static bool operator >=(CheckpointId left, CheckpointId right) => left.CompareTo(right) >= 0;

    /// <summary>Written as <c>attempt-number</c>, for example <c>2-17</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Attempt.Number}-{Number}");
}

/// <summary>Names one subtask of a job: its stage and its index within the stage.</summary>
/// <param name="Stage">The stage's index in the plan, from 0.</param>
/// <param name="Index">The subtask's index within the stage, from 0 to the stage's parallelism less one.</param>
[GenerateSerializer, Immutable, Alias("os.SubtaskId")]
internal readonly record struct SubtaskId([property: Id(0)] int Stage, [property: Id(1)] int Index)
{
    /// <summary>Written as <c>stage/index</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Stage}/{Index}");
}

/// <summary>One opening of a subtask: a number that no other opening shares.</summary>
/// <param name="Value">The number; 0 names no opening.</param>
[GenerateSerializer, Immutable, Alias("os.Incarnation")]
public readonly record struct Incarnation([property: Id(0)] long Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
