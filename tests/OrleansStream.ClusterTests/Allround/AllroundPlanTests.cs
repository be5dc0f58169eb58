using OrleansStream.Silo.Jobs.Allround;
using OrleansStream.Windows;

namespace OrleansStream.ClusterTests.Allround;

/// <summary>The closed form against a plain count over all records.</summary>
public sealed class AllroundPlanTests
{
    public static TheoryData<long, long> Sizes
    {
        get
        {
            var sizes = new TheoryData<long, long>();
            foreach (var keys in (long[])[1, 2, 3, 7, 10]) for (var records = 1; records <= 31; records += 3) sizes.Add(keys * records + records % keys, keys);
            return sizes;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void The_closed_form_is_what_counting_gives(long events, long keys)
    {
        var plan = new AllroundPlan(events, keys);
        var beats = Enumerable.Range(0, (int)events).Select(n => plan.BeatOf(n)).ToList();
        var transfers = beats.Select(plan.TransferOf).ToList();

        for (var key = 0L; key < keys; key++)
        {
            var ofKey = beats.Where(beat => beat.Key == key).ToList();
            Assert.Equal(Enumerable.Range(1, (int)plan.RecordsOf(key)).Select(static n => (long)n), ofKey.Select(static beat => beat.Sequence));
            Assert.Equal(Aligned(ofKey, 500, 500), Every(plan.TumblingCount(key), i => plan.Tumbling(key, i)));
            Assert.Equal(Aligned(ofKey, 1000, 500), Every(plan.SlidingCount(key), i => plan.Sliding(key, i)));
            Assert.Equal(Sessions(ofKey, 600), Every(plan.SessionCount(key), i => plan.Session(key, i)));
            Assert.Equal(transfers.Where(transfer => transfer.From == key).Sum(static transfer => transfer.Amount), AllroundPlan.PaidBy(plan.RecordsOf(key)));
            Assert.Equal(transfers.Where(transfer => transfer.To == key).Sum(static transfer => transfer.Amount), plan.Received(key));
            Assert.Equal(transfers.Count(transfer => transfer.To == key), plan.ReceivedCount(key));
            Assert.True(plan.ReceivedCount(key) > 0);
            for (var route = 0; route < AllroundPlan.Routes; route++)
            {
                var sent = transfers.Where(transfer => transfer.To == key && transfer.Route == route).ToList();
                Assert.All(sent, transfer => Assert.Equal(plan.PayerOf(key, route), transfer.From));
                Assert.Equal(Enumerable.Range(1, sent.Count).Select(i => AllroundPlan.SenderOf(i, route)), sent.Select(static transfer => transfer.Sequence));
            }
        }

        var summary = plan.Summary;
        var all = Enumerable.Range(0, (int)keys).Select(static key => (long)key).ToList();
        Assert.Equal(
            (events, all.Sum(plan.TumblingCount), all.Sum(plan.SlidingCount), all.Sum(plan.SessionCount)),
            (summary.Sequence, summary.TumblingWindows, summary.SlidingWindows, summary.SessionWindows));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(997, 1)]
    [InlineData(1_000, 10)]
    [InlineData(4_096, 16)]
    public void All_records_of_a_key_are_in_one_split_and_none_is_further_out_of_order_than_is_said(long keys, int splits)
    {
        var plan = new AllroundPlan(keys * 25, keys);
        Assert.Equal(splits, plan.Splits);
        for (var split = 0; split < splits; split++)
        {
            var latest = 0L;
            for (var n = (long)split; n < plan.Events; n += splits)
            {
                var time = AllroundPlan.TimeOf(plan.BeatOf(n));
                Assert.Equal(split, plan.BeatOf(n).Key % splits);
                Assert.True(time >= latest - (long)AllroundPlan.MaxOutOfOrderness.TotalMilliseconds);
                latest = Math.Max(latest, time);
            }
        }
    }

    private static IEnumerable<WindowResult<long, BeatSpan>> Every(long count, Func<long, WindowResult<long, BeatSpan>> window) => Enumerable.Range(0, (int)count).Select(i => window(i));

    private static List<WindowResult<long, BeatSpan>> Aligned(List<Beat> beats, long size, long slide) =>
    [
        .. from beat in beats
           let time = AllroundPlan.TimeOf(beat)
           let lastStart = time - time % slide
           from start in Enumerable.Range(0, (int)(size / slide)).Select(back => lastStart - back * slide)
           group beat by start into window
           orderby window.Key
           select Result(beats[0].Key, window.Key, window.Key + size, [.. window]),
    ];

    private static List<WindowResult<long, BeatSpan>> Sessions(List<Beat> beats, long gap)
    {
        var sessions = new List<List<Beat>>();
        foreach (var beat in beats)
        {
            if (sessions.Count == 0 || AllroundPlan.TimeOf(beat) - AllroundPlan.TimeOf(sessions[^1][^1]) >= gap) sessions.Add([]);
            sessions[^1].Add(beat);
        }

        return [.. sessions.Select(session => Result(session[0].Key, AllroundPlan.TimeOf(session[0]), AllroundPlan.TimeOf(session[^1]) + gap, session))];
    }

    private static WindowResult<long, BeatSpan> Result(long key, long start, long end, List<Beat> beats) =>
        new(key, new TimeWindow(start, end), new BeatSpan(beats.Count, beats[0].Sequence, beats[^1].Sequence, beats.Sum(static beat => beat.Sequence)));
}
