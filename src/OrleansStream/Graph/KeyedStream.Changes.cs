using System.Globalization;
using OrleansStream.Changes;
using OrleansStream.Functions;

namespace OrleansStream.Graph;

/// <content>One record of many: duplicates, distinct values, the first by a value.</content>
public sealed partial class KeyedStream<TKey, T>
{
    /// <summary>
    /// Passes on one record of each key. <see cref="Keep.First"/>: the first that comes, at once; the others are dropped. <see cref="Keep.Last"/>: each record that is not earlier in event time than
    /// the one passed on before it, as an update of that.
    /// </summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="keep">Which record.</param>
    /// <param name="within">
    /// How far in event time records may be from each other and still be duplicates, whole milliseconds: first, a record is dropped when one that was passed on is less than this before or after it. It also
    /// bounds what is kept: a record is forgotten when the watermark is this far behind it, and later ones are not held against it. For ever when null, which keeps something for every key ever seen.
    /// </param>
    public DataStream<T> Deduplicate(string name, Keep keep = Keep.First, TimeSpan? within = null)
    {
        var withinMs = Milliseconds(within);
        return Keyed<T>(
            "Deduplicate",
            name,
            _ => keep == Keep.Last ? new KeptUpdates<TKey, T>(keep, withinMs) : withinMs is { } span ? new FirstWithinFunction<TKey, T>(span) : new FirstFunction<TKey, T>(),
            OnError.Fail,
            node => Check(node, keep, within));
    }

    /// <summary>
    /// Follows the first or the last record of each key in event time as changes: an insert, then an update for each record that takes the place of the one before. Of records of equal times the first that
    /// comes is the first, the last that comes is the last.
    /// </summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="keep">Which record.</param>
    /// <param name="within">How far behind its record the watermark is when a key is forgotten, whole milliseconds; the next record is an insert again. Never when null.</param>
    public DataStream<Change<T>> DeduplicateChanges(string name, Keep keep = Keep.First, TimeSpan? within = null)
    {
        var withinMs = Milliseconds(within);
        return Keyed<Change<T>>("DeduplicateChanges", name, _ => new KeptChanges<TKey, T>(keep, withinMs), OnError.Fail, node => Check(node, keep, within));
    }

    /// <summary>Passes on the first record of each value within a key. Every value ever seen is kept; where that is too much, key by the value too and <see cref="Deduplicate"/> within a time.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="by">Reads the value: a string, an integer, a Guid, or a tuple of these; not null.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<T> DistinctBy<TValue>(string name, Func<T, TValue> by, OnError onError = OnError.Fail)
        where TValue : notnull
    {
        ArgumentNullException.ThrowIfNull(by);
        return DistinctOf("DistinctBy", name, by, onError);
    }

    /// <summary>
    /// Follows the first records of each key in the order of a value, as inserts and deletes: a record that comes among them, after the one that it puts out. Records of equal value are in the order of
    /// arrival, so a record as good as the last of enough others does not come in. Only the first are kept.
    /// </summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="n">How many; from 1 to 10,000.</param>
    /// <param name="by">Reads the value; a pure function, called again for records that are kept.</param>
    /// <param name="descending">Whether the largest values come first; the default.</param>
    /// <param name="onError">What happens to a record at which <paramref name="by"/> throws.</param>
    public DataStream<Change<T>> TopN<TBy>(string name, int n, Func<T, TBy> by, bool descending = true, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(by);
        return Keyed<Change<T>>("TopN", name, _ => new TopInserts<TKey, T, TBy, T>(n, new RowOrder<T, TBy>(by, descending), new TopMembers<T>()), onError, node => TopCheck.Check(node, n, descending));
    }

    /// <summary>Follows which record of each key has which rank in the order of a value: a record that comes in is an update of its rank and of those below.</summary>
    /// <inheritdoc cref="TopN{TBy}(string, int, Func{T, TBy}, bool, OnError)"/>
    public DataStream<Change<Ranked<T>>> RankedTopN<TBy>(string name, int n, Func<T, TBy> by, bool descending = true, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(by);
        return Keyed<Change<Ranked<T>>>(
            "RankedTopN", name, _ => new TopInserts<TKey, T, TBy, Ranked<T>>(n, new RowOrder<T, TBy>(by, descending), new TopRanks<T>()), onError, node => TopCheck.Check(node, n, descending));
    }

    internal DataStream<T> DistinctOf<TValue>(string kind, string name, Func<T, TValue> by, OnError onError)
        where TValue : notnull =>
        Keyed<T>(kind, name, _ => new DistinctFunction<TKey, T, TValue>(by), onError, static node => node.SideCheck = static (_, _) => "it has none");

    private static long? Milliseconds(TimeSpan? within) => within is { } span ? (long)span.TotalMilliseconds : null;

    private static void Check<TOut>(KeyedNode<T, TOut> node, Keep keep, TimeSpan? within)
    {
        node.SideCheck = static (_, _) => "it has none";
        node.NeedsEventTime = within is not null;
        node.Properties["keep"] = keep.ToString();
        node.Properties["within"] = within?.ToString("c", CultureInfo.InvariantCulture) ?? "for ever";
        if (keep is not (Keep.First or Keep.Last)) node.Graph.Refuse(node, $"there is no {keep} to keep");
        if (within is { } span && (span < TimeSpan.FromMilliseconds(1) || span.Ticks % TimeSpan.TicksPerMillisecond != 0)) node.Graph.Refuse(node, $"a within of {span} is not a whole number of milliseconds, 1 or more");
    }
}

/// <summary>What is impossible about a top-N.</summary>
internal static class TopCheck
{
    public static void Check<TIn, TOut>(KeyedNode<TIn, TOut> node, int n, bool descending)
    {
        node.SideCheck = static (_, _) => "it has none";
        node.Properties["n"] = n.ToString(CultureInfo.InvariantCulture);
        node.Properties["order"] = descending ? "descending" : "ascending";
        if (n is < 1 or > 10_000) node.Graph.Refuse(node, $"an n of {n} is not between 1 and 10,000");
    }
}
