using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Windows;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>
/// Checks itself: a bounded job whose every result has one right value, known in closed form (<see cref="AllroundPlan"/>), over everything that must be exactly once and in order. The first
/// violation fails the job for good and says key, expected and seen; when none is found the job finishes and writes a summary. With the argument <c>output</c>, a folder that all silos see,
/// it writes every record and the summary there, to be checked by <see cref="AllroundOutput"/>; without, it prints the summary and writes no records.
/// </summary>
/// <param name="console">Where the summary is printed when there is no output; the console when null.</param>
public sealed class AllroundJob(TextWriter? console = null) : IStreamJob
{
    /// <summary>The job's name.</summary>
    public const string JobName = "allround";

    /// <summary>Names of the job's arguments.</summary>
    public static class Arguments
    {
        public const string Events = "events";
        public const string Keys = "keys";
        public const string Rate = "rate";
        public const string StateBytes = "stateBytes";
        public const string Output = "output";

        public static IReadOnlyList<string> All { get; } = [Events, Keys, Rate, StateBytes, Output];
    }

    internal const long DefaultEvents = 1_000_000;
    internal const long DefaultKeys = 1_000;
    internal const long MostEvents = 1_000_000_000_000_000;
    internal const long MostKeys = 10_000_000;
    internal const int MostStateBytes = 16 * 1024 * 1024;

    /// <inheritdoc/>
    public void Define(JobGraph graph, JobArguments args)
    {
        foreach (var name in args.Names)
        {
            if (!Arguments.All.Contains(name)) throw new JobRefusedException($"Job '{JobName}' has no argument '{name}'.{NearestName.Suggest(name, Arguments.All)}");
        }

        var plan = PlanOf(args);
        var output = args.Get(Arguments.Output) is { } folder ? new AllroundOutput(folder) : null;
        var beats = graph.From("beats", Generator.Of(plan.BeatOf, plan.Events, plan.Splits, n => AllroundPlan.TimeOf(plan.BeatOf(n))), args.GetNumber(Arguments.Rate));
        Define(
            beats,
            plan,
            output is null ? new CountingSink<Beat>() : Files.JsonLinesOutput<Beat>(output.Records),
            output is null ? new ConsoleSink<Summary>(Show, console) : Files.JsonLinesOutput<Summary>(output.Summary));
    }

    /// <summary>The checks, over records from anywhere.</summary>
    internal static void Define(DataStream<Beat> beats, AllroundPlan plan, Sink<Beat> records, Sink<Summary> summary)
    {
        var source = beats.WithTimestamps(AllroundPlan.MaxOutOfOrderness);
        var ordered = source.KeyBy(static beat => beat.Key).Process(Checks.Sequence, _ => new SequenceCheck(plan));
        var byKey = ordered.KeyBy(static beat => beat.Key);

        var tumbling = byKey.Window(TumblingWindows.Of(AllroundPlan.TumblingSize))
            .Aggregate("tumble", default(BeatSpan), static (span, beat) => span.Add(beat), static span => span);
        var sliding = byKey.Window(SlidingWindows.Of(AllroundPlan.SlidingSize, AllroundPlan.Slide))
            .Aggregate("slide", default(BeatSpan), static (span, beat) => span.Add(beat), static (one, two) => one.Then(two), static span => span);
        var sessions = byKey.Window(SessionWindows.WithGap(AllroundPlan.SessionGap))
            .Aggregate("sessions", default(BeatSpan), static (span, beat) => span.Add(beat), static (one, two) => one.Then(two), static span => span);

        var met = source.KeyBy(static beat => beat.Key).Connect(byKey).Process(Checks.TwoInputs, _ => new MeetingCheck(plan));
        var transfers = source.KeyBy(static beat => beat.Key).Process(Checks.Debits, _ => new DebitCheck(plan));

        ordered.SideOutput(SequenceCheck.Reports)
            .Merge(
                Windows(tumbling, Checks.Tumbling, plan.TumblingCount, plan.Tumbling),
                Windows(sliding, Checks.Sliding, plan.SlidingCount, plan.Sliding),
                Windows(sessions, Checks.Sessions, plan.SessionCount, plan.Session),
                met.SideOutput(MeetingCheck.Reports),
                byKey.Process(Checks.Timers, _ => new TimerCheck(plan)),
                transfers.SideOutput(DebitCheck.Reports),
                transfers.KeyBy(static transfer => transfer.To).Process(Checks.Credits, _ => new CreditCheck(plan)))
            .KeyBy(static _ => 0)
            .Process("sum", _ => new SummaryCheck(plan))
            .To("summary", summary);
        met.To("records", records);
    }

    internal static string Show(Summary summary) => FormattableString.Invariant($"""
        {summary.Sequence,15:N0} records in the order of their {summary.Keys:N0} keys
        {summary.TumblingWindows,15:N0} tumbling windows, {summary.SlidingWindows:N0} sliding windows, {summary.SessionWindows:N0} sessions
        {summary.TwoInputs,15:N0} records met by two inputs
        {summary.Timers,15:N0} timers
        {summary.Credits,15:N0} transfers; all accounts together hold {summary.Balance:N0} as at the beginning
        {summary.Violations,15:N0} violations
        """);

    private static DataStream<Report> Windows(
        DataStream<WindowResult<long, BeatSpan>> results, string check, Func<long, long> count, Func<long, long, WindowResult<long, BeatSpan>> window) =>
        results.KeyBy(static result => result.Key).Process(check, _ => new WindowCheck(check, count, window));

    private static AllroundPlan PlanOf(JobArguments args)
    {
        var events = Whole(args, Arguments.Events, DefaultEvents, 1, MostEvents);
        var keys = Whole(args, Arguments.Keys, DefaultKeys, 1, MostKeys);
        if (events < keys) throw new JobRefusedException($"Argument '{Arguments.Events}' is {events}, fewer than the {keys} {Arguments.Keys}: each key has one record at least.");
        return new AllroundPlan(events, keys, (int)Whole(args, Arguments.StateBytes, 0, 0, MostStateBytes));
    }

    private static long Whole(JobArguments args, string name, long otherwise, long least, long most)
    {
        var value = args.GetInteger(name) ?? otherwise;
        return value >= least && value <= most ? value : throw new JobRefusedException($"Argument '{name}' is {value}: it must be from {least} to {most}.");
    }
}
