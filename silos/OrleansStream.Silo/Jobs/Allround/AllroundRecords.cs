namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>One record of a key. The generator makes them, every path through the job carries them, and the output has a line for each.</summary>
/// <param name="Key">The key, from 0.</param>
/// <param name="Sequence">Its number among the records of the key, from 1.</param>
[GenerateSerializer, Immutable, Alias("allround.Beat")]
internal readonly record struct Beat([property: Id(0)] long Key, [property: Id(1)] long Sequence);

/// <summary>An amount that has left one key and is on its way to another.</summary>
/// <param name="From">The key that has paid.</param>
/// <param name="To">The key that is to receive.</param>
/// <param name="Route">Which of the payer's payees this is.</param>
/// <param name="Sequence">The payer's record that made the transfer.</param>
/// <param name="Amount">How much.</param>
[GenerateSerializer, Immutable, Alias("allround.Transfer")]
internal readonly record struct Transfer(
    [property: Id(0)] long From, [property: Id(1)] long To, [property: Id(2)] int Route, [property: Id(3)] long Sequence, [property: Id(4)] long Amount);

/// <summary>What a window made of the records of its key.</summary>
/// <param name="Count">How many.</param>
/// <param name="First">The sequence number of the first that came.</param>
/// <param name="Last">That of the last that came.</param>
/// <param name="Sum">The sum of the sequence numbers.</param>
[GenerateSerializer, Immutable, Alias("allround.Span")]
internal readonly record struct BeatSpan([property: Id(0)] long Count, [property: Id(1)] long First, [property: Id(2)] long Last, [property: Id(3)] long Sum)
{
    /// <summary>The span of records that follow one another.</summary>
    public static BeatSpan Of(long first, long last) => new(last - first + 1, first, last, (first + last) * (last - first + 1) / 2);

    /// <summary>With one more.</summary>
    public BeatSpan Add(Beat beat) => new(Count + 1, Count == 0 ? beat.Sequence : First, beat.Sequence, Sum + beat.Sequence);

    /// <summary>With those of a span that comes after.</summary>
    public BeatSpan Then(BeatSpan next) => Count == 0 ? next : next.Count == 0 ? this : new(Count + next.Count, First, next.Last, Sum + next.Sum);

    /// <inheritdoc/>
    public override string ToString() => $"{Count} records, {First} to {Last}, sum {Sum}";
}

/// <summary>What one check has seen of one key when the input has ended.</summary>
/// <param name="Check">Which check: see <see cref="Checks"/>.</param>
/// <param name="Key">The key.</param>
/// <param name="Count">How many records, windows or timers of the key were checked.</param>
/// <param name="Balance">What the check holds of the key's account; 0 where it keeps none.</param>
[GenerateSerializer, Immutable, Alias("allround.Report")]
internal readonly record struct Report([property: Id(0)] string Check, [property: Id(1)] long Key, [property: Id(2)] long Count, [property: Id(3)] long Balance = 0);

/// <summary>The names of the checks, which are those of their operators.</summary>
internal static class Checks
{
    public const string Sequence = "sequence";
    public const string Tumbling = "tumbling-windows";
    public const string Sliding = "sliding-windows";
    public const string Sessions = "session-windows";
    public const string TwoInputs = "two-inputs";
    public const string Timers = "timers";
    public const string Debits = "debits";
    public const string Credits = "credits";

    public static IReadOnlyList<string> All { get; } = [Sequence, Tumbling, Sliding, Sessions, TwoInputs, Timers, Debits, Credits];
}

/// <summary>That all held: the one line of the summary. Numbers are of what was checked, all keys together; a job that finds a violation fails instead of writing it.</summary>
/// <param name="Events">How many records the job was to make.</param>
/// <param name="Keys">For how many keys.</param>
/// <param name="Violations">Always 0.</param>
/// <param name="Sequence">Records that came in the order of their key, each once.</param>
/// <param name="TumblingWindows">Tumbling windows with the right content.</param>
/// <param name="SlidingWindows">Sliding windows with the right content.</param>
/// <param name="SessionWindows">Sessions with the right content.</param>
/// <param name="TwoInputs">Records that met themselves, by two ways, in the stage with two inputs.</param>
/// <param name="Timers">Timers that fired, once and at their time.</param>
/// <param name="Debits">Transfers that left their payer.</param>
/// <param name="Credits">Transfers that reached their payee.</param>
/// <param name="Balance">What all accounts hold together: as much as at the beginning.</param>
[GenerateSerializer, Immutable, Alias("allround.Summary")]
internal sealed record Summary(
    [property: Id(0)] long Events,
    [property: Id(1)] long Keys,
    [property: Id(2)] long Violations,
    [property: Id(3)] long Sequence,
    [property: Id(4)] long TumblingWindows,
    [property: Id(5)] long SlidingWindows,
    [property: Id(6)] long SessionWindows,
    [property: Id(7)] long TwoInputs,
    [property: Id(8)] long Timers,
    [property: Id(9)] long Debits,
    [property: Id(10)] long Credits,
    [property: Id(11)] long Balance);
