using System.Collections.Immutable;

namespace OrleansStream.Patterns;

/// <summary>The records that a pattern found, or that a partial match had when its time ran out, by step.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
[GenerateSerializer, Immutable, Alias("os.Match`1")]
public sealed class Match<T> : IEquatable<Match<T>>
{
    internal Match(ImmutableArray<MatchedStep<T>> steps, long start, long end)
    {
        Steps = steps;
        Start = start;
        End = end;
    }

    /// <summary>The steps that took records, in the order of the pattern. A step that was left out is not here, nor is one that forbids records.</summary>
    [Id(0)]
    public ImmutableArray<MatchedStep<T>> Steps { get; }

    /// <summary>The event time of the first record, in milliseconds since 1970.</summary>
    [Id(1)]
    public long Start { get; }

    /// <summary>The event time of the last record, in milliseconds since 1970. A match that waited for something not to follow is emitted with a later time.</summary>
    [Id(2)]
    public long End { get; }

    /// <summary>The records that a step took, in order; none when it was left out, or when the pattern has no such step.</summary>
    /// <param name="step">The step's name.</param>
    public ImmutableArray<T> this[string step]
    {
        get
        {
            foreach (var taken in Steps)
            {
                if (taken.Name == step) return taken.Records;
            }

            return [];
        }
    }

    /// <inheritdoc/>
    public bool Equals(Match<T>? other) => other is not null && Start == other.Start && End == other.End && Steps.AsSpan().SequenceEqual(other.Steps.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Match<T>);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Start, End, Steps.Length);

    /// <summary>The steps with their records.</summary>
    public override string ToString() => string.Join(" ", Steps);
}

/// <summary>The records that one step of a pattern took.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
[GenerateSerializer, Immutable, Alias("os.MatchedStep`1")]
public readonly struct MatchedStep<T> : IEquatable<MatchedStep<T>>
{
    internal MatchedStep(string name, ImmutableArray<T> records)
    {
        Name = name;
        Records = records;
    }

    /// <summary>The step's name.</summary>
    [Id(0)]
    public string Name { get; }

    /// <summary>The records, in order.</summary>
    [Id(1)]
    public ImmutableArray<T> Records { get; }

    /// <summary>Whether two steps are equal.</summary>
    public static bool operator ==(MatchedStep<T> one, MatchedStep<T> other) => one.Equals(other);

    /// <summary>Whether two steps differ.</summary>
    public static bool operator !=(MatchedStep<T> one, MatchedStep<T> other) => !one.Equals(other);

    /// <inheritdoc/>
    public bool Equals(MatchedStep<T> other) => Name == other.Name && Records.AsSpan().SequenceEqual(other.Records.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is MatchedStep<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Records.IsDefault ? 0 : Records.Length);

    /// <summary>The name with the records.</summary>
    public override string ToString() => $"{Name}[{string.Join(",", Records)}]";
}

/// <summary>A partial match whose time ran out.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
/// <param name="Partial">What it had taken.</param>
/// <param name="Timestamp">When its time was over, in milliseconds since 1970: its bound after its first record, or after its last.</param>
[GenerateSerializer, Immutable, Alias("os.TimedOutMatch`1")]
public sealed record TimedOutMatch<T>([property: Id(0)] Match<T> Partial, [property: Id(1)] long Timestamp);
