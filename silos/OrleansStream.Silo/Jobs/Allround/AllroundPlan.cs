using OrleansStream.Windows;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>
/// What the job makes, and the right answer of every check, in closed form: nothing here is counted by looking at records.
/// <para>Record n, from 0, is number n / keys + 1 of key n % keys. A key has a record every 100 ms of event time, ten in a row, and then none until 2 s after the first of the ten. So a key
/// has two tumbling windows of 500 ms, three sliding ones of 1 s by 500 ms, and one session of the ten. Keys are shifted against each other by less than 100 ms, so that records of a split are
/// out of order by as much, and those of a key are in order.</para>
/// </summary>
/// <param name="Events">How many records, all keys together; at least one for each key.</param>
/// <param name="Keys">How many keys.</param>
/// <param name="StateBytes">How many bytes of padding are kept for each key beside what the checks need.</param>
internal sealed record AllroundPlan(long Events, long Keys, int StateBytes = 0)
{
    /// <summary>Records of a key that make up a session.</summary>
    public const int PerSession = 10;

    /// <summary>How many payees a key has, which it pays in turn.</summary>
    public const int Routes = 5;

    /// <summary>What each account holds before the first transfer.</summary>
    public const long Opening = 1_000;

    /// <summary>After how many records of a key its padding is another.</summary>
    public const int PaddingEvery = 64;

    private const long Begin = 1_704_067_200_000; // 2024-01-01T00:00:00Z, a multiple of every length below
    private const int StepMs = 100;
    private const int CycleMs = 2_000;
    private const int PaneMs = 500;
    private const int PerPane = PaneMs / StepMs;
    private const int GapMs = 600;
    private const int TimerDelayMs = 750;
    private const int MostSplits = 16;

    /// <summary>A time after all others: timers of it fire when the input has ended.</summary>
    public const long EndOfTime = long.MaxValue - 1;

    public static TimeSpan MaxOutOfOrderness => TimeSpan.FromMilliseconds(StepMs);

    public static TimeSpan TumblingSize => TimeSpan.FromMilliseconds(PaneMs);

    public static TimeSpan SlidingSize => TimeSpan.FromMilliseconds(2 * PaneMs);

    public static TimeSpan Slide => TimeSpan.FromMilliseconds(PaneMs);

    public static TimeSpan SessionGap => TimeSpan.FromMilliseconds(GapMs);

    /// <summary>How many subtasks can read at once. It divides the keys evenly, so that one split has all records of a key, in order.</summary>
    public int Splits => Enumerable.Range(1, MostSplits).Last(splits => Keys % splits == 0);

    public Beat BeatOf(long n) => new(n % Keys, n / Keys + 1);

    public static long TimeOf(Beat beat) => TimeOf(beat.Key, beat.Sequence);

    public static long TimeOf(long key, long sequence)
    {
        var round = sequence - 1;
        return Begin + round / PerSession * CycleMs + round % PerSession * StepMs + key * 37 % StepMs;
    }

    /// <summary>When the timer fires that a record sets.</summary>
    public static long TimerOf(long key, long sequence) => TimeOf(key, sequence) + TimerDelayMs;

    /// <summary>How many records a key has.</summary>
    public long RecordsOf(long key) => Events / Keys + (key < Events % Keys ? 1 : 0);

    /// <summary>How many tumbling windows a key has.</summary>
    public long TumblingCount(long key) => TumblingCountOf(RecordsOf(key));

    /// <summary>How many sliding windows a key has that hold anything.</summary>
    public long SlidingCount(long key) => SlidingCountOf(RecordsOf(key));

    /// <summary>How many sessions a key has.</summary>
    public long SessionCount(long key) => SessionCountOf(RecordsOf(key));

    /// <summary>Tumbling window number i of a key, from 0.</summary>
    public WindowResult<long, BeatSpan> Tumbling(long key, long i)
    {
        var start = Begin + i / 2 * CycleMs + i % 2 * PaneMs;
        return Result(key, new TimeWindow(start, start + PaneMs), i * PerPane, (i + 1) * PerPane);
    }

    /// <summary>Sliding window number i of a key, from 0: of each ten records the first five, all, and the last five.</summary>
    public WindowResult<long, BeatSpan> Sliding(long key, long i)
    {
        var (cycle, place) = Math.DivRem(i, 3);
        var start = Begin + cycle * CycleMs + (place - 1) * PaneMs;
        return Result(key, new TimeWindow(start, start + 2 * PaneMs), cycle * PerSession + (place == 2 ? PerPane : 0), cycle * PerSession + (place == 0 ? PerPane : PerSession));
    }

    /// <summary>Session number i of a key, from 0.</summary>
    public WindowResult<long, BeatSpan> Session(long key, long i)
    {
        var (first, last) = (i * PerSession + 1, Math.Min((i + 1) * PerSession, RecordsOf(key)));
        return Result(key, new TimeWindow(TimeOf(key, first), TimeOf(key, last) + GapMs), first - 1, last);
    }

    /// <summary>What a record makes its key pay, and to whom: route and amount go round with the sequence number.</summary>
    public Transfer TransferOf(Beat beat)
    {
        var route = (int)(beat.Sequence % Routes);
        return new Transfer(beat.Key, (beat.Key + 1 + route) % Keys, route, beat.Sequence, AmountOf(route));
    }

    /// <summary>Who pays a key on a route.</summary>
    public long PayerOf(long key, int route) => ((key - 1 - route) % Keys + Keys) % Keys;

    /// <summary>How many transfers a payer has sent on a route by one of its records.</summary>
    public static long SentBy(long sequence, int route) => route == 0 ? sequence / Routes : (sequence - route + Routes) / Routes;

    /// <summary>The number of a payer's record that makes its i-th transfer on a route, from 1.</summary>
    public static long SenderOf(long i, int route) => route == 0 ? i * Routes : (i - 1) * Routes + route;

    /// <summary>How much each transfer on a route is.</summary>
    public static long AmountOf(int route) => route + 1;

    /// <summary>What a key has paid by one of its records.</summary>
    public static long PaidBy(long sequence) => Enumerable.Range(0, Routes).Sum(route => AmountOf(route) * SentBy(sequence, route));

    /// <summary>How many transfers a key receives.</summary>
    public long ReceivedCount(long key) => Enumerable.Range(0, Routes).Sum(route => SentBy(RecordsOf(PayerOf(key, route)), route));

    /// <summary>What a key receives.</summary>
    public long Received(long key) => Enumerable.Range(0, Routes).Sum(route => AmountOf(route) * SentBy(RecordsOf(PayerOf(key, route)), route));

    /// <summary>The letter that a key's padding consists of from one of its records on.</summary>
    public static char PaddingOf(long key, long sequence) => (char)('a' + (key + (sequence - 1) / PaddingEvery) % 26);

    /// <summary>What the summary must say.</summary>
    public Summary Summary => new(
        Events, Keys, 0, Events, OfAll(TumblingCountOf), OfAll(SlidingCountOf), OfAll(SessionCountOf), Events, Events, Events, Events, Keys * Opening);

    private static long TumblingCountOf(long records) => (records + PerPane - 1) / PerPane;

    private static long SlidingCountOf(long records) => records / PerSession * 3 + (records % PerSession) switch { 0 => 0, <= PerPane => 2, _ => 3 };

    private static long SessionCountOf(long records) => (records + PerSession - 1) / PerSession;

    /// <summary>The first keys have a record more than the others.</summary>
    private long OfAll(Func<long, long> ofRecords) => Events % Keys * ofRecords(Events / Keys + 1) + (Keys - Events % Keys) * ofRecords(Events / Keys);

    private WindowResult<long, BeatSpan> Result(long key, TimeWindow window, long before, long last) => new(key, window, BeatSpan.Of(before + 1, Math.Min(last, RecordsOf(key))));
}
