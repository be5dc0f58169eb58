namespace OrleansStream.Changes;

/// <summary>What a change does to a table of rows. The words are those of Flink's <c>RowKind</c>.</summary>
public enum ChangeKind
{
    /// <summary>A row comes.</summary>
    Insert,

    /// <summary>A row as it was before an update; <see cref="UpdateAfter"/> follows.</summary>
    UpdateBefore,

    /// <summary>A row as it is after an update.</summary>
    UpdateAfter,

    /// <summary>A row goes.</summary>
    Delete,
}

/// <summary>A change of a table of rows. Whoever applies a stream of them in order has the table as it is; each retraction is of a row that is there.</summary>
/// <typeparam name="T">The type of a row.</typeparam>
/// <param name="Kind">What happens.</param>
/// <param name="Value">The row that comes or goes, whole.</param>
[GenerateSerializer, Immutable, Alias("os.Change`1")]
public readonly record struct Change<T>([property: Id(0)] ChangeKind Kind, [property: Id(1)] T Value)
{
    /// <summary>Whether the row goes: an <see cref="ChangeKind.UpdateBefore"/> or a <see cref="ChangeKind.Delete"/>.</summary>
    public bool IsRetraction => Kind is ChangeKind.UpdateBefore or ChangeKind.Delete;
}

/// <summary>Makes changes.</summary>
public static class Change
{
    /// <summary>A row comes.</summary>
    public static Change<T> Insert<T>(T value) => new(ChangeKind.Insert, value);

    /// <summary>A row as it was before an update.</summary>
    public static Change<T> UpdateBefore<T>(T value) => new(ChangeKind.UpdateBefore, value);

    /// <summary>A row as it is after an update.</summary>
    public static Change<T> UpdateAfter<T>(T value) => new(ChangeKind.UpdateAfter, value);

    /// <summary>A row goes.</summary>
    public static Change<T> Delete<T>(T value) => new(ChangeKind.Delete, value);
}

/// <summary>What an operator knows of a key now.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TValue">The type of the result.</typeparam>
/// <param name="Key">The key.</param>
/// <param name="Value">The result.</param>
[GenerateSerializer, Immutable, Alias("os.KeyedResult`2")]
public readonly record struct KeyedResult<TKey, TValue>([property: Id(0)] TKey Key, [property: Id(1)] TValue Value);

/// <summary>A row with its place among the first of its key.</summary>
/// <typeparam name="T">The type of a row.</typeparam>
/// <param name="Rank">The place, from 1.</param>
/// <param name="Value">The row.</param>
[GenerateSerializer, Immutable, Alias("os.Ranked`1")]
public readonly record struct Ranked<T>([property: Id(0)] int Rank, [property: Id(1)] T Value);
