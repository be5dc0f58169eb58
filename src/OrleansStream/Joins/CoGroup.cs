using OrleansStream.Windows;

namespace OrleansStream.Joins;

/// <summary>What two streams have of one key in one window; one of the sides may be empty.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TLeft">The type of a record of the left stream.</typeparam>
/// <typeparam name="TRight">The type of a record of the right stream.</typeparam>
/// <param name="Key">The key.</param>
/// <param name="Window">The window.</param>
/// <param name="Left">The records of the left stream, in the order in which they came.</param>
/// <param name="Right">The records of the right stream, in the order in which they came.</param>
public readonly record struct CoGroup<TKey, TLeft, TRight>(TKey Key, TimeWindow Window, IReadOnlyList<TLeft> Left, IReadOnlyList<TRight> Right);
