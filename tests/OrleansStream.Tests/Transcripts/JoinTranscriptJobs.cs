using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Joins;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Transcripts;

/// <summary>The jobs of the transcripts of joins: orders and what was paid for them, and the rates at which they were paid. Outputs are <c>results</c> and <c>late</c>.</summary>
internal static class JoinTranscriptJobs
{
    private static readonly SideOutput<Order> LateOrders = new("late-orders");
    private static readonly SideOutput<Paid> LatePaid = new("late-paid");

    public static IReadOnlyDictionary<string, Func<TranscriptJob>> All { get; } = new Dictionary<string, Func<TranscriptJob>>
    {
        ["interval-join"] = static () => Join(static join => join.Between(Ms(-100), Ms(500), lateLeft: LateOrders, lateRight: LatePaid).Select("join", Joined.Of)),
        ["interval-full-join"] = static () => Join(static join => join.Between(Ms(-100), Ms(500), lateLeft: LateOrders, lateRight: LatePaid).SelectFull("join", Joined.Of)),
        ["interval-join-without-bounds"] = static () => Join(static join =>
            join.Between(Ms(-100), Ms(500), excludeLower: true, excludeUpper: true, lateLeft: LateOrders, lateRight: LatePaid).Select("join", Joined.Of)),
        ["window-join-1s"] = static () => Join(static join => join.Window(TumblingWindows.Of(Ms(1000)), lateLeft: LateOrders, lateRight: LatePaid).Select("join", Joined.Of)),
        ["window-left-join-1s"] = static () => Join(static join => join.Window(TumblingWindows.Of(Ms(1000)), lateLeft: LateOrders, lateRight: LatePaid).SelectLeft("join", Joined.Of)),
        ["window-join-sliding-1s-400ms"] = static () => Join(static join => join.Window(SlidingWindows.Of(Ms(1000), Ms(400)), lateLeft: LateOrders, lateRight: LatePaid).Select("join", Joined.Of)),
        ["session-full-join-500ms"] = static () => Join(static join => join.Window(SessionWindows.WithGap(Ms(500)), lateLeft: LateOrders, lateRight: LatePaid).SelectFull("join", Joined.Of)),
        ["co-group-1s-lateness-500ms"] = static () => Join(static join => join.Window(TumblingWindows.Of(Ms(1000)), Ms(500), LateOrders, LatePaid).CoGroup("join", Joined.Sum)),
        ["temporal-join"] = static () => Join(static join => join.AsOf(LateOrders, LatePaid).Select("join", Joined.Of)),
        ["temporal-left-join"] = static () => Join(static join => join.AsOf(LateOrders, LatePaid).SelectLeft("join", Joined.Of)),
    };

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static TranscriptJob Join(Func<KeyedJoin<string, Order, Paid>, DataStream<Joined>> make)
    {
        var (orders, paid, results, late) = (new TestInput<Order>(), new TestInput<Paid>(), new TestOutput<Joined>(), new TestOutput<Joined>());
        return new TranscriptJob(graph =>
        {
            var joined = make(graph.From("orders", orders).KeyBy(static order => order.Item).Join(graph.From("paid", paid).KeyBy(static paid => paid.Item)));
            joined.To("results", results);
            joined.SideOutput(LateOrders).Select(static order => Joined.Of(order, null)).Merge(joined.SideOutput(LatePaid).Select(static paid => Joined.Of(null, paid))).To("late", late);
        }).With("orders", orders).With("paid", paid).With("results", results).With("late", late);
    }
}

/// <summary>An order of an item.</summary>
[GenerateSerializer, Alias("transcripts.order")]
internal sealed record Order([property: Id(0)] string Item, [property: Id(1)] int Number);

/// <summary>A payment for an item, or its price from a time on.</summary>
[GenerateSerializer, Alias("transcripts.paid")]
internal sealed record Paid([property: Id(0)] string Item, [property: Id(1)] int Amount);

/// <summary>An order and what was paid; 0 for what is missing.</summary>
[GenerateSerializer, Alias("transcripts.joined")]
internal sealed record Joined([property: Id(0)] string Item, [property: Id(1)] int Number, [property: Id(2)] int Amount)
{
    public static Joined Of(Order? order, Paid? paid) => new(order?.Item ?? paid!.Item, order?.Number ?? 0, paid?.Amount ?? 0);

    public static IEnumerable<Joined> Sum(CoGroup<string, Order, Paid> group) => [new(group.Key, group.Left.Sum(static order => order.Number), group.Right.Sum(static paid => paid.Amount))];
}
