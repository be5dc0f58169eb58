using OrleansStream.Functions;

namespace OrleansStream.Graph;

/// <summary>What can be asked of keyed streams of some records only.</summary>
public static class KeyedStreams
{
    /// <summary>
    /// Passes on each record of a key that equals none before it. The records must be such as could be keys, and not null; for others there is
    /// <see cref="KeyedStream{TKey, T}.DistinctBy"/>.
    /// </summary>
    /// <param name="keyed">The stream.</param>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    public static DataStream<T> Distinct<TKey, T>(this KeyedStream<TKey, T> keyed, string name)
        where TKey : notnull
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(keyed);
        return keyed.DistinctOf("Distinct", name, static record => record, OnError.Fail);
    }
}
