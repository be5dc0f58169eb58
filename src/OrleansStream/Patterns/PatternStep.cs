using System.Collections.Immutable;

namespace OrleansStream.Patterns;

/// <summary>How a record stands to the one taken before it.</summary>
internal enum Contiguity
{
    /// <summary>Directly behind it.</summary>
    Next,

    /// <summary>The first that meets the conditions.</summary>
    FollowedBy,

    /// <summary>Any that meets the conditions.</summary>
    FollowedByAny,

    /// <summary>The one directly behind it must not meet the conditions.</summary>
    NotNext,

    /// <summary>None may meet the conditions before the next step is taken.</summary>
    NotFollowedBy,
}

/// <summary>One step of a pattern as the user described it.</summary>
/// <param name="Name">The written name; null for a group.</param>
/// <param name="Contiguity">How its first record stands to the one before.</param>
internal sealed record PatternStep<T>(string? Name, Contiguity Contiguity)
{
    public Pattern<T>? Group { get; init; }

    /// <summary>What a record must meet; null for any.</summary>
    public Condition<T>? Condition { get; init; }

    public int Least { get; init; } = 1;

    public int Most { get; init; } = 1;

    /// <summary>Whether there is no most.</summary>
    public bool Loops { get; init; }

    public bool IsRepeated { get; init; }

    /// <summary>How the records of a repeated step stand to each other.</summary>
    public Contiguity Inner { get; init; } = Contiguity.FollowedBy;

    public bool HasInner { get; init; }

    public bool IsOptional { get; init; }

    public bool IsGreedy { get; init; }

    public Condition<T>? Until { get; init; }

    public TimeSpan? Within { get; init; }

    public TimeSpan? WithinNeighbours { get; init; }

    /// <summary>What was wrong with the calls that made it.</summary>
    public ImmutableArray<string> Problems { get; init; } = [];

    public bool IsNot => Contiguity is Contiguity.NotNext or Contiguity.NotFollowedBy;

    public PatternStep<T> Refuse(string? problem) => problem is null ? this : this with { Problems = Problems.Add(problem) };
}
